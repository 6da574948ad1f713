#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tanpuhui_fuzz::workbook::workbook(data));
