//! The pickle of a PyTorch file, put into a sound zip archive with ten storages, and into a
//! legacy file behind a sound preamble.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    ckptscope_fuzz::check_file(&archive(input));
    ckptscope_fuzz::check_file(&legacy(input));
});

/// Magic number, protocol version, and an empty dict of the machine's facts.
const PREAMBLE: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";

fn legacy(pickle: &[u8]) -> Vec<u8> {
    let mut file = PREAMBLE.to_vec();
    file.extend_from_slice(pickle);
    file.extend_from_slice(&[0; 256]);
    file
}

fn archive(pickle: &[u8]) -> Vec<u8> {
    let storages = (0..10).map(|key| (format!("a/data/{key}"), [0x3c; 64].to_vec()));
    let entries = [("a/data.pkl".to_owned(), pickle.to_vec())]
        .into_iter()
        .chain(storages);
    let (mut file, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u16);
    for (name, content) in entries {
        let (offset, size) = (file.len() as u32, content.len() as u32);
        let fields = |out: &mut Vec<u8>| {
            out.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            out.extend(size.to_le_bytes());
            out.extend(size.to_le_bytes());
            out.extend((name.len() as u16).to_le_bytes());
            out.extend([0, 0]);
        };
        file.extend(b"PK\x03\x04");
        fields(&mut file);
        file.extend(name.as_bytes());
        file.extend(&content);
        directory.extend(b"PK\x01\x02\x14\x00");
        fields(&mut directory);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
        count += 1;
    }
    let offset = file.len() as u32;
    file.extend(&directory);
    file.extend(b"PK\x05\x06\x00\x00\x00\x00");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(offset.to_le_bytes());
    file.extend([0, 0]);
    file
}
