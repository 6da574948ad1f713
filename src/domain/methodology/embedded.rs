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
    "acm0002-retrofit/0.1.toml"
    "afforestation/1.0.toml"
    "ams-iii-aj/0.1.toml"
    "ams-iii-c/16.0.toml"
    "anaerobic-wastewater/1.0.toml"
    "beijing-green-life/2022.1.toml"
    "car-pooling/2021.1.toml"
    "citic-carbon-account/2022.1.toml"
    "clean-plate/2022.1.toml"
    "compost-iii-f-engine-test/1.0.2.toml"
    "cq-shared-ebike/2023.1.toml"
    "distributed-pv/2025.1.toml"
    "efficient-appliance/0.1.toml"
    "ev-trips/2021.1.toml"
    "freight-empty-km/0.1.toml"
    "freight-modal-shift/0.1.toml"
    "freight-new-energy-truck/0.1.toml"
    "green-hotel/2023.1.toml"
    "green-power/2023.1.toml"
    "grid-factor/2021.1.toml"
    "grid-factor/2022.1.toml"
    "grid-factor/2023.1.toml"
    "gwp/AR4.toml"
    "gwp/AR5.toml"
    "gwp/AR6.toml"
    "household-biogas/1.0.toml"
    "household-gas/2025.1.toml"
    "household-water/2019.1.toml"
    "hz-household-energy-months/2024.1.toml"
    "hz-household-energy/2024.1.toml"
    "jjj-low-carbon-travel/2024.1.toml"
    "landfill-single-period/1.0.toml"
    "luzhou-green-sprout/2024.1.toml"
    "mangrove/1.0.toml"
    "metro-trip/2017.1.toml"
    "recycling-by-piece/2022.1.toml"
    "retrofit-metered/1.0.toml"
    "reusable-cup/2022.1.toml"
    "reusable-parcel-box/2021.1.toml"
    "second-hand-trade/2023.1.toml"
    "sh-distributed-pv/2024.1.toml"
    "sh-household-electricity/2024.1.toml"
    "shared-cycling/2025.1.toml"
    "smart-sorting/2024.1.toml"
    "stationary-combustion/2026.1.toml"
    "street-light/2024.1.toml"
    "sz-household-electricity/2022.1.toml"
    "sz-paperless-banking/2025.1.toml"
    "sz-public-transport/2021.1.toml"
    "sz-shared-bike/2022.1.toml"
    "textile-reuse/2022.1.toml"
    "travel-mean/2022.1.toml"
    "vm0038-session/1.0.toml"
    "voluntary-non-driving/2017.1.toml"
    "wuhan-carbon-planet/2022.1.toml"
    "wuhan-carbon-rivers/2024.1.toml"
    "wuhan-demand-response/2023.1.toml"
    "wuhan-distributed-pv/2023.1.toml"
}
