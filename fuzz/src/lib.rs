//! What the fuzz targets assert. A target is one call; what it may take and must keep is here.

pub mod bounds;
pub mod crafted;
pub mod documents;
pub mod feeds;
pub mod memory;
pub mod scenes;
pub mod workbook;
