//! In which order what is new is initialised.

use crate::{Scenario, logged, open};
use app_api::dynplug;

pub const SCENARIOS: &[Scenario] = &[("order", order), ("early", early), ("shared-fails", shared_fails)];

const FIRST: [&str; 6] = ["deep", "late", "first alpha", "first lib upper", "first lib lower", "first zeta"];

fn order() {
    assert!(logged().is_empty(), "nothing runs before it is asked for");
    let first = open("first");
    assert_eq!(logged(), [&["base", "api"][..], &FIRST].concat());
    assert!(std::ptr::eq(open("first"), first));
    assert!(logged().is_empty(), "nothing runs twice");
    let report: Vec<_> = (first.init_report().iter())
        .map(|r| (r.plugin.as_str(), r.package, r.crate_name, r.function, r.file.rsplit('/').next().unwrap()))
        .collect();
    assert_eq!(
        report,
        [
            ("first", "deep", "deep", "deep", "lib.rs"),
            ("first", "late", "late", "late", "lib.rs"),
            ("first", "first", "first", "alpha", "alpha.rs"),
            ("first", "first", "first", "upper", "lib.rs"),
            ("first", "first", "first", "lower", "lib.rs"),
            ("first", "first", "first", "zeta", "zeta.rs"),
        ]
    );
    assert!(first.init_report().iter().all(|r| r.outcome.is_ok() && r.line > 0));
    let shared: Vec<_> = dynplug::init_report().iter().map(|r| (r.plugin.as_str(), r.function)).collect();
    assert_eq!(shared, [("app-api", "base"), ("app-api", "api")]);
    open("second");
    assert_eq!(logged(), ["deep", "late"], "what is shared does not run again, what is another copy does");
}

fn early() {
    dynplug::init().unwrap();
    assert_eq!(logged(), ["base", "api"]);
    dynplug::init().unwrap();
    open("first");
    assert_eq!(logged(), FIRST);
}

fn shared_fails() {
    for _ in 0..2 {
        let error = app_api::open("first").unwrap_err();
        assert!(matches!(error, dynplug::OpenError::SharedInit { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("`api`") && text.contains("not today"), "{text}");
    }
    assert_eq!(logged(), ["base", "api"], "nothing of the plugin ran");
    assert!(dynplug::init().is_err());
}
