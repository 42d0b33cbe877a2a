//! Whole PyTorch files in zip form.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| ckptscope_fuzz::check_file(input));
