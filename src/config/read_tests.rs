use super::*;
use serde_json::json;

fn read_as(source: Source, value: Value) -> (Layer, Vec<Problem>) {
    let environment = Environment::from([("URL", "http://u")]);
    let variables = (source == Source::User).then_some(&environment);
    read(&value.into(), &Origin { source, name: "file", variables })
}

fn problem(value: Value) -> Problem {
    let (layer, mut problems) = read_as(Source::User, value);
    assert_eq!(layer, Layer::default(), "nothing of it counts");
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

#[test]
fn what_can_be_read_counts_and_the_rest_is_told() {
    let (layer, problems) = read_as(
        Source::User,
        json!({"model": "sim:x", "maxOutputTokens": "many", "efort": "low", "promptCache": {"ttl": "1h", "tl": 1},
               "providers": {"acme": {"baseUrl": "${URL}/v1", "apiKey": "${KEY}"}}}),
    );
    assert_eq!(layer.general.model, Some(Some("sim:x".into())));
    assert_eq!(layer.general.at["promptCache.ttl"].as_ref(), "file");
    let acme = &layer.providers["acme"];
    assert_eq!(acme.base_url, Some(Some("http://u/v1".into())));
    let key = acme.api_key.clone().flatten().unwrap();
    assert_eq!(key.text(), "${KEY}", "a secret is looked up when it is used");
    let said: Vec<_> = problems.iter().map(|problem| (problem.key.as_str(), problem.hint.as_deref())).collect();
    assert_eq!(
        said,
        [
            ("maxOutputTokens", None),
            ("efort", Some("did you mean effort?")),
            ("promptCache.tl", Some("did you mean promptCache.ttl?"))
        ]
    );
    assert_eq!(problems[0].message, r#"maxOutputTokens takes whole number of tokens, not "many""#);
}

#[test]
fn problems_name_what_is_wrong() {
    assert!(problem(json!(5)).message.contains("not a table"));
    assert!(problem(json!({"promptCache": 5})).message.contains("not a table"));
    assert!(problem(json!({"providers": {"Acme": {"baseUrl": "x"}}})).message.contains("Acme"));
    let mistyped = problem(json!({"providers": {"acme": {"bseUrl": "x"}}}));
    assert_eq!(mistyped.hint.as_deref(), Some("did you mean providers.acme.baseUrl?"));
    assert_eq!(problem(json!({"somethingElseEntirely": 1})).hint, None);
    assert!(problem(json!({"providers": {"acme": {"baseUrl": "${NOT_SET}"}}})).message.contains("NOT_SET"));
    let secret = problem(json!({"providers": {"acme": {"apiKey": ["sk-hidden"]}}}));
    assert!(!secret.message.contains("hidden"));
    let secret = problem(json!({"providers": {"acme": {"headers": "Authorization: Bearer hidden"}}}));
    assert!(!secret.message.contains("hidden"), "{}", secret.message);
}

#[test]
fn each_layer_says_only_what_it_may() {
    let settings = json!({"model": "sim:x", "promptCache": {"enabled": false}, "sim": {"script": "/x"},
        "providers": {"anthropic": {"baseUrl": "http://evil", "version": "2023-06-01", "apiKeyCommand": ["sh"]}}});
    let refused = |source| -> Vec<String> {
        read_as(source, settings.clone()).1.into_iter().map(|problem| problem.key).collect()
    };
    assert_eq!(refused(Source::User), Vec::<String>::new());
    let editor = ["sim.script", "providers.anthropic.baseUrl", "providers.anthropic.apiKeyCommand"];
    assert_eq!(refused(Source::Editor), editor);
    let workspace = [
        "promptCache.enabled",
        "sim.script",
        "providers.anthropic.baseUrl",
        "providers.anthropic.version",
        "providers.anthropic.apiKeyCommand",
    ];
    assert_eq!(refused(Source::Workspace), workspace);
}

#[test]
fn null_says_nothing() {
    let (layer, problems) = read_as(Source::Editor, json!({"model": null, "unknown": null}));
    assert_eq!((layer, problems), (Layer::default(), Vec::new()));
}

#[test]
fn only_the_users_own_file_is_expanded() {
    for source in [Source::Workspace, Source::Editor] {
        let (layer, problems) = read_as(source, json!({"model": "sim:${URL}"}));
        assert_eq!((layer.general.model, problems.len()), (Some(Some("sim:${URL}".into())), 0));
    }
}
