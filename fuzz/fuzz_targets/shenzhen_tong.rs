#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tanpuhui_fuzz::feeds::adapter("shenzhen-tong", data));
