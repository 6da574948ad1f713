//! The documents that are part of the program, so that it runs from anywhere. A test compares
//! this list with the directory.

macro_rules! documents {
    ($($path:literal)*) => {
        /// Path and text of each document.
        pub const DOCUMENTS: &[(&str, &str)] = &[
            $((concat!("methodologies/", $path), include_str!(concat!("../../../methodologies/", $path)))),*
        ];
    };
}

documents! {
    "distributed-pv/2025.1.toml"
    "grid-factor/2021.1.toml"
    "grid-factor/2022.1.toml"
    "grid-factor/2023.1.toml"
    "stationary-combustion/2026.1.toml"
    "sz-household-electricity/2022.1.toml"
    "sz-public-transport/2021.1.toml"
    "sz-shared-bike/2022.1.toml"
}
