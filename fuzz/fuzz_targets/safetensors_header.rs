//! Whole safetensors files; the input is the header and what follows, the length is put before.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    ckptscope_fuzz::check_file(input);
    // A length that fits is hard to hit upon: the header ends with the last brace.
    if let Some(end) = input.iter().rposition(|byte| *byte == b'}') {
        let mut file = (end as u64 + 1).to_le_bytes().to_vec();
        file.extend_from_slice(input);
        ckptscope_fuzz::check_file(&file);
    }
});
