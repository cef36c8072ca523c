//! Regions: short and long names, and the domain a region is under.
//!
//! Facts: OCI's documentation of regions and the region tables of its SDKs. A region that is not here is taken as it
//! is written, under the domain of commercial regions; `base_url` is the way to any other.

/// The domain of commercial regions.
const COMMERCIAL: &str = "oraclecloud.com";

/// Short names that metadata and environments use for regions.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("aga", "us-saltlake-2"),
    ("ahu", "me-abudhabi-3"),
    ("ams", "eu-amsterdam-1"),
    ("arn", "eu-stockholm-1"),
    ("auh", "me-abudhabi-1"),
    ("avf", "eu-crissier-1"),
    ("avz", "eu-dcc-zurich-1"),
    ("beg", "eu-jovanovac-1"),
    ("bgy", "eu-dcc-milan-1"),
    ("bno", "ap-chuncheon-2"),
    ("bog", "sa-bogota-1"),
    ("bom", "ap-mumbai-1"),
    ("brs", "uk-gov-cardiff-1"),
    ("cdg", "eu-paris-1"),
    ("cwl", "uk-cardiff-1"),
    ("dac", "ap-dcc-gazipur-1"),
    ("dln", "ap-suwon-1"),
    ("doh", "me-dcc-doha-1"),
    ("dtm", "eu-dcc-rating-2"),
    ("dtz", "ap-seoul-2"),
    ("dus", "eu-dcc-rating-1"),
    ("dxb", "me-dubai-1"),
    ("ebb", "us-somerset-1"),
    ("ebl", "us-thames-1"),
    ("fra", "eu-frankfurt-1"),
    ("gru", "sa-saopaulo-1"),
    ("hyd", "ap-hyderabad-1"),
    ("iad", "us-ashburn-1"),
    ("icn", "ap-seoul-1"),
    ("jed", "me-jeddah-1"),
    ("jnb", "af-johannesburg-1"),
    ("kix", "ap-osaka-1"),
    ("lfi", "us-langley-1"),
    ("lhr", "uk-london-1"),
    ("lin", "eu-milan-1"),
    ("ltn", "uk-gov-london-1"),
    ("luf", "us-luke-1"),
    ("mad", "eu-madrid-1"),
    ("mct", "me-dcc-muscat-1"),
    ("mel", "ap-melbourne-1"),
    ("mrs", "eu-marseille-1"),
    ("mty", "mx-monterrey-1"),
    ("mtz", "il-jerusalem-1"),
    ("mxp", "eu-dcc-milan-2"),
    ("nja", "ap-chiyoda-1"),
    ("nrt", "ap-tokyo-1"),
    ("ord", "us-chicago-1"),
    ("ork", "eu-dcc-dublin-1"),
    ("phx", "us-phoenix-1"),
    ("pia", "us-gov-chicago-1"),
    ("qro", "mx-queretaro-1"),
    ("ric", "us-gov-ashburn-1"),
    ("rkt", "me-abudhabi-2"),
    ("ruh", "me-riyadh-1"),
    ("scl", "sa-santiago-1"),
    ("shj", "me-abudhabi-4"),
    ("sin", "ap-singapore-1"),
    ("sjc", "us-sanjose-1"),
    ("snn", "eu-dcc-dublin-2"),
    ("str", "eu-frankfurt-2"),
    ("syd", "ap-sydney-1"),
    ("tus", "us-gov-phoenix-1"),
    ("ukb", "ap-ibaraki-1"),
    ("vap", "sa-valparaiso-1"),
    ("vcp", "sa-vinhedo-1"),
    ("vll", "eu-madrid-2"),
    ("wga", "ap-dcc-canberra-1"),
    ("xsp", "ap-singapore-2"),
    ("yny", "ap-chuncheon-1"),
    ("yul", "ca-montreal-1"),
    ("yyz", "ca-toronto-1"),
    ("zrh", "eu-zurich-1"),
];

/// The regions that are under a domain of their own.
const DOMAINS: &[(&str, &[&str])] = &[
    ("oraclegovcloud.com", &["us-langley-1", "us-luke-1", "us-gov-ashburn-1", "us-gov-chicago-1", "us-gov-phoenix-1"]),
    ("oraclegovcloud.uk", &["uk-gov-london-1", "uk-gov-cardiff-1"]),
    ("oraclecloud8.com", &["ap-chiyoda-1", "ap-ibaraki-1"]),
    ("oraclecloud9.com", &["me-dcc-muscat-1"]),
    ("oraclecloud10.com", &["ap-dcc-canberra-1"]),
    (
        "oraclecloud14.com",
        &[
            "eu-dcc-milan-1",
            "eu-dcc-milan-2",
            "eu-dcc-dublin-1",
            "eu-dcc-dublin-2",
            "eu-dcc-rating-1",
            "eu-dcc-rating-2",
        ],
    ),
    ("oraclecloud15.com", &["ap-dcc-gazipur-1"]),
    ("oraclecloud.eu", &["eu-madrid-2", "eu-frankfurt-2"]),
    ("oraclecloud20.com", &["eu-jovanovac-1"]),
    ("oraclecloud21.com", &["me-dcc-doha-1"]),
    ("oraclecloud23.com", &["us-somerset-1", "us-thames-1"]),
    ("oraclecloud24.com", &["eu-dcc-zurich-1", "eu-crissier-1"]),
    ("oraclecloud26.com", &["me-abudhabi-3"]),
    ("oraclecloud29.com", &["me-abudhabi-2", "me-abudhabi-4"]),
    ("oraclecloud35.com", &["ap-seoul-2", "ap-suwon-1", "ap-chuncheon-2"]),
];

/// The long name of a region. Nothing for what can be no region's name: it becomes part of a host's name, so nothing
/// that could lead to another host may get through.
pub fn long_name(region: &str) -> Option<String> {
    let region = region.trim().to_ascii_lowercase();
    if region.is_empty() || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return None;
    }
    let long = SHORT_NAMES.iter().find(|(short, _)| *short == region).map(|(_, long)| (*long).to_owned());
    Some(long.unwrap_or(region))
}

/// The domain a region is under, by its long name.
pub fn domain(region: &str) -> &'static str {
    DOMAINS.iter().find(|(_, regions)| regions.contains(&region)).map_or(COMMERCIAL, |(domain, _)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_become_long_ones_and_unknown_ones_stay() {
        for (name, long) in [("ord", "us-chicago-1"), (" FRA ", "eu-frankfurt-1"), ("us-new-9", "us-new-9")] {
            assert_eq!(long_name(name).as_deref(), Some(long));
        }
        assert!(SHORT_NAMES.is_sorted_by_key(|(short, _)| short));
    }

    #[test]
    fn what_could_lead_to_another_host_is_no_region() {
        for name in ["", " ", "a.example", "x/y", "x#", "x@y", "x:1", "ü"] {
            assert_eq!(long_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_region_is_under_the_domain_of_its_realm() {
        for (region, expected) in [
            ("us-chicago-1", "oraclecloud.com"),
            ("us-new-9", "oraclecloud.com"),
            ("us-gov-ashburn-1", "oraclegovcloud.com"),
            ("uk-gov-london-1", "oraclegovcloud.uk"),
            ("ap-chiyoda-1", "oraclecloud8.com"),
            ("eu-frankfurt-2", "oraclecloud.eu"),
        ] {
            assert_eq!(domain(region), expected);
        }
    }
}
