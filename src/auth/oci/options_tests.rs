//! Which credential is meant.

use super::*;

fn resolved(options: &Options, environment: &Environment) -> Result<Resolved, UserError> {
    resolve(options, environment, Path::new("/home/u"))
}

fn profile() -> Options {
    Options { profile: Some("DEFAULT".into()), ..Options::default() }
}

#[test]
fn exactly_one_of_profile_and_auth_type() {
    let nothing = Environment::default();
    let both = Options { auth_type: Some("instance_principal".into()), ..profile() };
    let error = resolved(&both, &nothing).unwrap_err();
    assert_eq!(error.code, ErrorCode::ConfigInvalid);
    assert!(error.message.contains("both") && error.message.contains("`DEFAULT` and `instance_principal`"));
    assert!(resolved(&Options::default(), &nothing).unwrap_err().message.contains("neither"));
    // A blank one counts as given.
    let blank = Options { profile: Some(String::new()), ..both };
    assert!(resolved(&blank, &nothing).unwrap_err().message.contains("both"));

    let environment = Environment::from([("OCI_PROFILE", "Work")]);
    assert_eq!(resolved(&Options::default(), &environment).unwrap().mode, Mode::Profile("Work".into()));
    assert_eq!(resolved(&profile(), &environment).unwrap().mode, Mode::Profile("DEFAULT".into()));
    let principal = Options {
        auth_type: Some("resource_principal".into()),
        compartment_id: Some("c".into()),
        ..Options::default()
    };
    assert_eq!(resolved(&principal, &environment).unwrap().mode, Mode::ResourcePrincipal);
}

#[test]
fn other_auth_types_are_refused_before_the_compartment_is_looked_at() {
    for other in ["security_token", "delegation_token", "Instance_Principal", ""] {
        let options = Options { auth_type: Some(other.into()), ..Options::default() };
        let error = resolved(&options, &Environment::default()).unwrap_err();
        assert!(error.message.contains(&format!("`{other}`")), "{}", error.message);
        assert!(error.hint.unwrap().contains("instance_principal or resource_principal"));
    }
}

#[test]
fn an_auth_type_needs_a_compartment_of_its_own() {
    let environment = Environment::from([("OCI_COMPARTMENT", "e")]);
    for compartment_id in [None, Some(" ".into())] {
        let auth_type = Some("instance_principal".into());
        let options = Options { auth_type, compartment_id, ..Options::default() };
        assert!(resolved(&options, &environment).unwrap_err().message.contains("compartment"));
    }
}

#[test]
fn the_compartment_is_found_in_order() {
    let find = |explicit: Option<&str>, first: &str, second: &str, tenancy: Option<&str>| {
        let environment = Environment::from([("OCI_COMPARTMENT", first), ("OCI_COMPARTMENT_ID", second)]);
        let options = Options { compartment_id: explicit.map(str::to_owned), ..profile() };
        resolved(&options, &environment).unwrap().endpoint(None, tenancy).unwrap().compartment
    };
    assert_eq!(find(Some("x"), "a", "b", Some("t")).as_deref(), Some("x"));
    assert_eq!(find(None, "a", "b", Some("t")).as_deref(), Some("a"));
    assert_eq!(find(Some(""), "", "b", Some("t")).as_deref(), Some("b"));
    assert_eq!(find(None, "", "", Some("t")).as_deref(), Some("t"));
    assert_eq!(find(None, "", "", None), None);
}

#[test]
fn the_region_is_found_in_order_and_makes_the_address() {
    let find = |explicit: Option<&str>, environment: &str, credential: Option<&str>| {
        let environment = Environment::from([("OCI_REGION", environment)]);
        let options = Options { region: explicit.map(str::to_owned), ..profile() };
        resolved(&options, &environment).unwrap().endpoint(credential, None).unwrap()
    };
    for (explicit, environment, credential, region) in [
        (Some("iad"), "phx", Some("fra"), "us-ashburn-1"),
        (None, "phx", Some("fra"), "us-phoenix-1"),
        (Some(" "), "", Some("eu-frankfurt-1"), "eu-frankfurt-1"),
        (None, "", Some("fra"), "eu-frankfurt-1"),
        (None, "", None, "us-chicago-1"),
    ] {
        let endpoint = find(explicit, environment, credential);
        assert_eq!(endpoint.region, region);
        let base = format!("https://inference.generativeai.{region}.oci.oraclecloud.com/openai/v1");
        assert_eq!(endpoint.base_url, base);
    }
    let government = find(Some("us-gov-ashburn-1"), "", None);
    let base = "https://inference.generativeai.us-gov-ashburn-1.oci.oraclegovcloud.com/openai/v1";
    assert_eq!(government.base_url, base);
    let management = "https://generativeai.us-gov-ashburn-1.oci.oraclegovcloud.com/20231130";
    assert_eq!(government.management_url.as_deref(), Some(management));
}

#[test]
fn a_region_that_could_be_another_host_is_refused() {
    let options = Options { region: Some("evil.example/".into()), ..profile() };
    assert_eq!(resolved(&options, &Environment::default()).unwrap_err().code, ErrorCode::ConfigInvalid);
    let environment = Environment::from([("OCI_REGION", "a@b")]);
    assert!(resolved(&profile(), &environment).unwrap_err().message.contains("OCI_REGION"));
    let fine = resolved(&profile(), &Environment::default()).unwrap();
    assert!(fine.endpoint(Some("x.example"), None).unwrap_err().message.contains("the credential"));
}

#[test]
fn a_base_url_replaces_the_address_of_the_region() {
    let options = Options { base_url: Some("http://127.0.0.1:1/v1//".into()), ..profile() };
    let endpoint = resolved(&options, &Environment::default()).unwrap().endpoint(Some("fra"), None).unwrap();
    assert_eq!((endpoint.base_url.as_str(), endpoint.management_url), ("http://127.0.0.1:1/v1", None));
    for bad in ["x", "file:///etc", "data:x"] {
        let options = Options { base_url: Some(bad.into()), ..profile() };
        assert!(resolved(&options, &Environment::default()).is_err(), "{bad}");
    }
}
