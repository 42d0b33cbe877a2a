//! Files as git and Git LFS know them.

use std::sync::Arc;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Files of these endings are large ones to the hub, whatever their length.
const LFS_ENDINGS: &[&str] = &[".pt", ".bin", ".safetensors", ".pth", ".ckpt"];

/// One file of a commit.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) content: Arc<[u8]>,
    /// git's id: of the content, or of the LFS pointer.
    pub(crate) git_id: String,
    /// Git LFS's id, the SHA-256 of the content, for large files.
    pub(crate) lfs_id: Option<String>,
}

impl Object {
    pub(crate) fn new(path: &str, content: Arc<[u8]>) -> Self {
        let is_lfs = LFS_ENDINGS.iter().any(|ending| path.ends_with(ending));
        let lfs_id = is_lfs.then(|| hexadecimal(&Sha256::digest(&content)));
        let git_id = match &lfs_id {
            Some(id) => git_id(pointer(id, content.len()).as_bytes()),
            None => git_id(&content),
        };
        Self {
            content,
            git_id,
            lfs_id,
        }
    }

    /// The entity tag, without quotes.
    pub(crate) fn tag(&self) -> &str {
        self.lfs_id.as_deref().unwrap_or(&self.git_id)
    }

    pub(crate) fn pointer_bytes(&self) -> usize {
        self.lfs_id
            .as_ref()
            .map_or(0, |id| pointer(id, self.content.len()).len())
    }
}

/// What git stores in the place of a large file.
fn pointer(id: &str, bytes: usize) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize {bytes}\n")
}

/// The id that git gives to a blob.
fn git_id(content: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    hexadecimal(&hash.finalize())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id of forty digits for anything that has none of its own.
pub(crate) fn id_of(text: &str) -> String {
    hexadecimal(&Sha1::digest(text))
}

#[cfg(test)]
mod tests {
    use super::Object;

    #[test]
    fn ids_are_those_of_git() {
        // `printf 'hello\n' | git hash-object --stdin`
        let small = Object::new("a.txt", b"hello\n".as_slice().into());
        assert_eq!(small.git_id, "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(small.lfs_id, None);
        // `printf 'hello\n' | sha256sum`
        let large = Object::new("a.pt", b"hello\n".as_slice().into());
        let id = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        assert_eq!(large.lfs_id.as_deref(), Some(id));
    }
}
