//! The `.metadata` of a distributed checkpoint, beside files that are sound.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| ckptscope_fuzz::check_distributed(input));
