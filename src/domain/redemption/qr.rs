//! QR codes as pictures.

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

/// The text does not fit into any QR code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes do not fit into a QR code")]
pub struct TooLong(usize);

/// A QR code of `text` as an SVG document: black on white with the quiet zone that scanners need,
/// at least 240 units wide, error correction M.
///
/// # Errors
/// [`TooLong`] for more than about 2,300 bytes.
pub fn svg(text: &str) -> Result<String, TooLong> {
    let code =
        QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| TooLong(text.len()))?;
    Ok(code
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .quiet_zone(true)
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_becomes_a_picture_and_too_much_does_not() {
        let picture = svg("https://example.org/v/TPH-0000-0000-0000-0000").unwrap();
        assert!(
            picture.contains("<svg") && picture.ends_with("</svg>"),
            "{picture}"
        );
        assert!(svg(&"x".repeat(5_000)).is_err());
    }
}
