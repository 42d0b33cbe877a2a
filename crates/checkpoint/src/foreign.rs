//! Files that are known and that no format reads: what they are, and what makes a checkpoint of
//! them.
//!
//! Each text goes on behind "is", and says what to do. Only a file that is not what it was meant to
//! be is to be had again.

/// What a file is that no format reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Foreign {
    /// A model of llama.cpp.
    #[error(
        "a GGUF file of llama.cpp, which is not read here; transformers makes a checkpoint of it: \
         `AutoModelForCausalLM.from_pretrained(FOLDER, gguf_file=FILE).save_pretrained(OUTPUT)`"
    )]
    Gguf,
    /// A graph of ONNX.
    #[error(
        "an ONNX graph and no checkpoint; give the checkpoint from which it was exported \
         (safetensors or PyTorch)"
    )]
    Onnx,
    /// A checkpoint or a saved model of TensorFlow.
    #[error(
        "of TensorFlow, which is not read here; transformers before 5 makes a checkpoint of it: \
         `AutoModel.from_pretrained(FOLDER, from_tf=True).save_pretrained(OUTPUT)`"
    )]
    TensorFlow,
    /// HDF5, as Keras writes it.
    #[error(
        "a model of Keras or TensorFlow (HDF5), which is not read here; transformers before 5 makes \
         a checkpoint of it: \
         `AutoModel.from_pretrained(FOLDER, from_tf=True).save_pretrained(OUTPUT)`"
    )]
    Keras,
    /// `MessagePack`, as Flax writes it.
    #[error(
        "a checkpoint of Flax (MessagePack), which is not read here; transformers before 5 makes a \
         checkpoint of it: \
         `AutoModel.from_pretrained(FOLDER, from_flax=True).save_pretrained(OUTPUT)`"
    )]
    Flax,
    /// A checkpoint of Orbax.
    #[error(
        "of an Orbax checkpoint (JAX), which is not read here; restore it with Orbax and save its \
         arrays with `safetensors.flax.save_file`"
    )]
    Orbax,
    /// Arrays of NumPy.
    #[error(
        "of NumPy, which is not read here; \
         `safetensors.numpy.save_file(dict(numpy.load(FILE)), OUTPUT)` makes a checkpoint of an .npz"
    )]
    Arrays,
    /// A pickle that PyTorch did not write.
    #[error(
        "a pickle that `torch.save` did not write; \
         `torch.save(pickle.load(open(FILE, 'rb')), OUTPUT)` makes a checkpoint of it"
    )]
    Pickle,
    /// Files packed into one.
    #[error("an archive; unpack it, and give the folder")]
    Archive,
    /// What servers send in the place of a file.
    #[error(
        "a web page (HTML) and no checkpoint, as servers send one where a login, a token or a \
         consent is wanted; download the file with `hf download` or with a token"
    )]
    WebPage,
    /// JSON, as servers send it in the place of a file.
    #[error("JSON and no checkpoint: a config, or what a server answered in the place of the file")]
    Json,
    /// Any other text.
    #[error("a text and no checkpoint")]
    Text,
    /// Space that nothing was written to.
    #[error(
        "nothing but zero bytes at its beginning, so it was never written: copy or download it again"
    )]
    Zeros,
    /// What macOS writes beside files.
    #[error("what macOS keeps of another file (AppleDouble), and no checkpoint; remove it")]
    AppleDouble,
}

/// Where the mark of a tar archive stands.
pub(crate) const TAR_MARK_OFFSET: u64 = 257;

/// The mark itself.
pub(crate) const TAR_MARK: &[u8] = b"ustar";

/// How files begin.
const BEGINNINGS: &[(&[u8], Foreign)] = &[
    (b"GGUF", Foreign::Gguf),
    (b"\x89HDF\r\n\x1a\n", Foreign::Keras),
    (b"\x93NUMPY", Foreign::Arrays),
    (b"\x1f\x8b", Foreign::Archive),
    (b"\x28\xb5\x2f\xfd", Foreign::Archive),
    (b"7z\xbc\xaf\x27\x1c", Foreign::Archive),
    (b"BZh", Foreign::Archive),
    (b"\xfd7zXZ\0", Foreign::Archive),
    (b"Rar!", Foreign::Archive),
    (b"\0\x05\x16\x07", Foreign::AppleDouble),
    // Pickles of protocol 0 and 1.
    (b"(dp", Foreign::Pickle),
    (b"(lp", Foreign::Pickle),
    (b"ccollections\n", Foreign::Pickle),
    (b"}q\0", Foreign::Pickle),
    (b"]q\0", Foreign::Pickle),
];

/// How names end.
const ENDINGS: &[(&str, Foreign)] = &[
    (".gguf", Foreign::Gguf),
    (".onnx", Foreign::Onnx),
    (".h5", Foreign::Keras),
    (".hdf5", Foreign::Keras),
    (".keras", Foreign::Keras),
    (".msgpack", Foreign::Flax),
    (".npz", Foreign::Arrays),
    (".npy", Foreign::Arrays),
    ("saved_model.pb", Foreign::TensorFlow),
    (".ckpt.index", Foreign::TensorFlow),
    (".data-00000-of-00001", Foreign::TensorFlow),
    (".data-00000-of-00002", Foreign::TensorFlow),
    ("manifest.ocdbt", Foreign::Orbax),
    ("_CHECKPOINT_METADATA", Foreign::Orbax),
    (".nemo", Foreign::Archive),
    (".zip", Foreign::Archive),
    (".tar", Foreign::Archive),
    (".gz", Foreign::Archive),
    (".tgz", Foreign::Archive),
    (".zst", Foreign::Archive),
    (".xz", Foreign::Archive),
    (".bz2", Foreign::Archive),
    (".7z", Foreign::Archive),
    (".rar", Foreign::Archive),
    (".pkl", Foreign::Pickle),
    (".pickle", Foreign::Pickle),
    (".joblib", Foreign::Pickle),
];

impl Foreign {
    /// What a file is that begins so.
    pub(crate) fn by_content(head: &[u8]) -> Option<Self> {
        let known = BEGINNINGS.iter().find(|(start, _)| head.starts_with(start));
        if let Some((_, foreign)) = known {
            return Some(*foreign);
        }
        match head {
            [0, ..] if head.iter().all(|byte| *byte == 0) => Some(Self::Zeros),
            // The version of its form, and behind it the name of the program that wrote it.
            [0x08, 1..=20, 0x12, length, name @ ..]
                if name.len() >= usize::from(*length)
                    && name.iter().take((*length).into()).all(u8::is_ascii_graphic) =>
            {
                Some(Self::Onnx)
            }
            // A map of a few entries whose first key is a text.
            [0x81..=0x8f, 0xa1..=0xbf | 0xd9, ..] => Some(Self::Flax),
            _ => Self::by_text(head),
        }
    }

    fn by_text(head: &[u8]) -> Option<Self> {
        // A character may be cut in two at the end.
        let valid = match std::str::from_utf8(head) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => {
                std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?
            }
            Err(_) => return None,
        };
        let text = valid.trim_start_matches('\u{feff}').trim_start();
        let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        match text.chars().next()? {
            _ if !text.chars().all(is_text) => None,
            '<' => Some(Self::WebPage),
            '{' | '[' => Some(Self::Json),
            _ => Some(Self::Text),
        }
    }

    /// What a file of that name is.
    pub(crate) fn by_name(path: &str) -> Option<Self> {
        let found = ENDINGS.iter().find(|(ending, _)| path.ends_with(ending));
        found.map(|(_, foreign)| *foreign)
    }

    /// What an archive is that has these entries and no checkpoint.
    pub(crate) fn by_entries<'a>(mut names: impl Iterator<Item = &'a str>) -> Self {
        let of_name = |name: &str| match Self::by_name(name) {
            Some(inner @ (Self::Arrays | Self::Keras)) => Some(inner),
            _ => None,
        };
        names.find_map(of_name).unwrap_or(Self::Archive)
    }
}

#[cfg(test)]
mod tests {
    use super::Foreign;

    #[test]
    fn files_are_known_by_how_they_begin() {
        for (head, expected) in [
            (&b"GGUF\x03\0\0\0"[..], Some(Foreign::Gguf)),
            (b"\x08\x07\x12\x07pytorch\x1a", Some(Foreign::Onnx)),
            (b"\x82\xa5model\x81", Some(Foreign::Flax)),
            (&[0; 64], Some(Foreign::Zeros)),
            (b"\n\n  <html>", Some(Foreign::WebPage)),
            (b"\xef\xbb\xbf{\"error\": \"gated\"}", Some(Foreign::Json)),
            (b"Entry not found", Some(Foreign::Text)),
            ("na\u{ef}ve caf\u{e9}".as_bytes(), Some(Foreign::Text)),
            (b"caf\xc3", Some(Foreign::Text)),
            (b"(dp0\nS'a'\n", Some(Foreign::Pickle)),
            (b"\0\x05\x16\x07\0\x02", Some(Foreign::AppleDouble)),
            (b"abc\x01def", None),
            (b"\xff\xfe\x01", None),
        ] {
            assert_eq!(
                Foreign::by_content(head),
                expected,
                "{}",
                head.escape_ascii()
            );
        }
    }

    #[test]
    fn files_are_known_by_their_names() {
        for (name, expected) in [
            ("a/model-q4.gguf", Some(Foreign::Gguf)),
            ("tf_model.h5", Some(Foreign::Keras)),
            (
                "model.ckpt-500.data-00000-of-00001",
                Some(Foreign::TensorFlow),
            ),
            ("500/default/manifest.ocdbt", Some(Foreign::Orbax)),
            ("run.tar.gz", Some(Foreign::Archive)),
            ("config.json", None),
        ] {
            assert_eq!(Foreign::by_name(name), expected, "{name}");
        }
        let of = |names: [&'static str; 2]| Foreign::by_entries(names.into_iter());
        assert_eq!(of(["a.npy", "b.npy"]), Foreign::Arrays);
        assert_eq!(of(["metadata.json", "model.weights.h5"]), Foreign::Keras);
        assert_eq!(of(["a.txt", "b/"]), Foreign::Archive);
    }
}
