//! `examples/server`, over HTTP: each of its plugins, what is refused, a panic, and many requests at once while plugins are
//! opened.

use crate::harness::{Fixture, Running, repository};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use ureq::Agent;
use ureq::http::Response;

/// The server, and `examples/hello`, whose plugin is for another host.
static BUILT: LazyLock<[Fixture; 2]> = LazyLock::new(|| {
    ["server", "hello"].map(|name| {
        let fixture = Fixture::folder(&format!("{name} for the server"));
        let manifest = repository().join("examples").join(name).join("Cargo.toml");
        fixture.tool("build").arg("--manifest-path").arg(manifest).go().ok();
        fixture
    })
});

/// A server that runs, with a folder of plugins of its own.
struct Server {
    running: Running,
    address: String,
    plugins: PathBuf,
}

impl Server {
    /// Starts it with these plugins in its folder.
    #[track_caller]
    fn start(name: &str, plugins: &[&str], environment: &[(&str, &str)]) -> Server {
        let folder = BUILT[0].root().join(name);
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        plugins.iter().for_each(|plugin| install(plugin, &folder));
        Server::of(&BUILT[0], folder, environment)
    }

    /// Starts one that was built in a fixture.
    #[track_caller]
    fn of(built: &Fixture, folder: PathBuf, environment: &[(&str, &str)]) -> Server {
        let call = built.run(&built.outcome("server-host")).takes_long();
        let call = call.env("SERVER_ADDRESS", "127.0.0.1:0").env("SERVER_PLUGINS", &folder);
        let call = environment.iter().fold(call, |call, (name, value)| call.env(name, value));
        let mut running = call.start();
        let line = running.line_with("listening on http://");
        let address = line.trim_start_matches("listening on ").to_owned();
        Server { running, address, plugins: folder }
    }

    fn client(&self) -> Client {
        Client::of(&self.address)
    }

    /// Lets it come to its end, and gives what it logged.
    #[track_caller]
    fn stop(self) -> String {
        self.running.signal("TERM");
        let ran = self.running.end();
        ran.ok();
        ran.stderr
    }
}

/// Puts a plugin into a folder, so that it's there whole or not at all.
fn install(plugin: &str, folder: &Path) {
    let file = format!("lib{plugin}.so");
    let built = BUILT[usize::from(plugin == "hello")].outcome("plugins");
    let half = folder.join(format!("{file}.part"));
    std::fs::copy(built.join(&file), &half).expect("the plugin can be copied");
    std::fs::rename(half, folder.join(file)).expect("the plugin can be renamed");
}

/// Keeps its connection, as a browser does.
struct Client {
    agent: Agent,
    address: String,
}

/// What the server answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// The header that the plugin `timing` adds.
    timing: Option<String>,
    body: String,
}

impl Client {
    fn of(address: &str) -> Client {
        let settings = Agent::config_builder().http_status_as_error(false).build();
        Client { agent: Agent::new_with_config(settings), address: address.to_owned() }
    }

    #[track_caller]
    fn get(&self, path: &str) -> Answer {
        answer(path, self.agent.get(format!("{}{path}", self.address)).call())
    }

    #[track_caller]
    fn post(&self, path: &str, kind: &str, body: &str) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.address)).content_type(kind);
        answer(path, request.send(body))
    }

    #[track_caller]
    fn add_note(&self, text: &str) -> Answer {
        self.post("/notes", "application/json", &json!({ "text": text }).to_string())
    }

    #[track_caller]
    fn load(&self) -> Value {
        self.post("/admin/load", "text/plain", "").is(200).json()
    }
}

#[track_caller]
fn answer(path: &str, response: Result<Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = response.unwrap_or_else(|e| panic!("{path}: no answer: {e}"));
    let timing = response.headers().get("server-timing").map(|text| text.to_str().unwrap().to_owned());
    let body = response.body_mut().read_to_string().unwrap_or_else(|e| panic!("{path}: half an answer: {e}"));
    Answer { status: response.status().as_u16(), timing, body }
}

impl Answer {
    #[track_caller]
    fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// The names of the plugins in use.
fn in_use(overview: &Value) -> Vec<&str> {
    overview["plugins"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect()
}

const ALL: [&str; 5] = ["fragile", "heartbeat", "notes", "preview", "timing"];

// E8
#[test]
fn every_plugin_of_the_server_does_its_part() {
    let database = BUILT[0].root().join("notes.sqlite");
    let environment = [("SERVER_DATABASE", database.to_str().unwrap()), ("HEARTBEAT_INTERVAL", "1ms")];
    let plugins = ["fragile", "heartbeat", "notes", "preview", "timing", "hello"];
    let server = Server::start("every plugin", &plugins, &environment);
    let client = server.client();

    // Routes with JSON, which share the database, and what the host's own crates make of a bad request.
    assert_eq!(client.get("/notes").is(200).json(), json!([]));
    let first = json!({ "id": 1, "text": "first" });
    assert_eq!(client.add_note("first").is(201).json(), first);
    assert_eq!(client.get("/notes").is(200).json(), json!([first]));
    assert!(client.add_note("  ").is(400).body.contains("a note needs a text"));
    client.post("/notes", "application/json", "{").is(400);

    // A crate that the server doesn't have.
    let page = client.post("/preview", "text/plain", "# So\n\n*what* <b>").is(200).body;
    assert_eq!(page, "<h1>So</h1>\n<p><em>what</em> &lt;b&gt;</p>\n");

    // Middleware, around what all plugins answer; none of the server's own pages.
    assert!(client.get("/notes").timing.is_some_and(|text| text.starts_with("plugins;dur=")));
    assert_eq!(client.get("/plugins").is(200).timing, None);
    assert_eq!(client.get("/nothing").status, 404);

    // A job, which works on its own.
    let beats = |client: &Client| client.get("/heartbeat").is(200).json()["count"].as_u64().unwrap();
    let before = beats(&client);
    while beats(&client) < before + 3 {}

    // A panic is an answer, on a connection that goes on.
    assert_eq!(client.get("/fragile/4").is(200).body, "25");
    for _ in 0..3 {
        let failure = client.get("/fragile/0").is(500);
        assert!(failure.body.contains("attempt to divide by zero"), "{failure:?}");
        assert!(failure.timing.is_some(), "{failure:?}");
        assert_eq!(client.get("/fragile/5").is(200).body, "20");
    }

    // What is told of them.
    let overview = client.get("/plugins").is(200).json();
    assert_eq!(in_use(&overview), ALL);
    let refused = overview["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1, "{overview:#}");
    assert!(refused[0]["place"].as_str().unwrap().ends_with("libhello.so"));
    let reason = refused[0]["reason"].as_str().unwrap();
    assert!(reason.contains("the plugin was made for a host whose API crate is `hello-api`"), "{reason}");
    let heartbeat = &overview["plugins"][1];
    assert_eq!(heartbeat["version"], "0.1.0");
    assert_eq!(heartbeat["exports"][0]["signature"], "fn extension() -> Box<dyn Extension>");
    assert_eq!(heartbeat["init"][0]["error"], Value::Null);
    assert!(heartbeat["init"][0]["function"].as_str().unwrap().contains("read_interval"));
    let page = client.get("/").is(200).body;
    for text in [&["5 in use, 1 refused", "read_interval", "libhello.so", "identity"][..], &ALL].concat() {
        assert!(page.contains(text), "{text:?} is not on the page\n{page}");
    }

    // What plugins log goes the server's way.
    let log = server.stop();
    assert!(log.contains("notes: added a note id=1"), "{log}");
    assert!(log.contains("a panic: attempt to divide by zero"), "{log}");

    // And the notes are still there.
    let server = Server::start("every plugin", &[], &environment);
    assert_eq!(server.client().get("/notes").is(200).json(), json!([first]));
    server.stop();
}

#[test]
fn a_plugin_of_the_server_runs_in_a_process_of_its_own_by_one_line() {
    let fixture = Fixture::example("server elsewhere", "server");
    let line = ["loader.run_in(RunIn::Host)", "loader.run_in(RunIn::OwnProcess)"];
    fixture.replace("host/src/settings.rs", line[0], line[1]);
    let build = fixture.build().args(["-p", "server-host", "-p", "preview", "-p", "timing", "-p", "fragile"]);
    build.go().ok();

    let here = Server::start("here", &["preview", "timing", "fragile"], &[]);
    let there = Server::of(&fixture, fixture.outcome("plugins"), &[]);
    let answers = |server: &Server| {
        let client = server.client();
        let overview = client.get("/plugins").is(200).json();
        assert_eq!(in_use(&overview), ["fragile", "preview", "timing"]);
        let page = client.post("/preview", "text/plain", "# So\n\n*what* <b>").is(200);
        assert!(page.timing.is_some(), "{page:?}");
        let told = overview["plugins"][1]["exports"].clone();
        let others = [client.get("/preview").is(405).body, client.get("/preview/more").is(404).body];
        (page.body, others, told, client.get("/fragile/4").is(200).body)
    };
    let answered = answers(&here);
    assert_eq!(answered.0, "<h1>So</h1>\n<p><em>what</em> &lt;b&gt;</p>\n");
    assert_eq!(answers(&there), answered);

    let processes = |server: &Server| -> Vec<u64> {
        let overview = server.client().load();
        let numbers = overview["plugins"][1]["processes"].as_array().unwrap().iter();
        numbers.map(|number| number.as_u64().unwrap()).collect()
    };
    let has_mapped = |process: u64| {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        ["preview", "fragile"].map(|plugin| maps.contains(&format!("dynplug:{plugin}")))
    };
    assert!(processes(&here).is_empty());
    assert_eq!(has_mapped(here.running.id().into()), [true, true]);
    let [process] = processes(&there)[..] else { panic!("there is one process") };
    assert_eq!((has_mapped(there.running.id().into()), has_mapped(process)), ([false, true], [true, false]));

    // What ends it harms nobody.
    let killed = Command::new("kill").args(["-KILL", &process.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let client = there.client();
    let again = |client: &Client| client.post("/preview", "text/plain", "*again*").status == 200;
    assert!(again(&client) || again(&client), "it isn't there again");
    assert_eq!(client.get("/fragile/5").is(200).body, "20");
    assert_ne!(processes(&there), [process]);
    here.stop();
    there.stop();
}

// E8
#[test]
fn a_plugin_of_the_server_that_cannot_start_is_told_and_the_others_work() {
    let environment = [("HEARTBEAT_INTERVAL", "often")];
    let server = Server::start("cannot start", &["heartbeat", "notes"], &environment);
    let client = server.client();
    for overview in [client.get("/plugins").is(200).json(), client.load(), client.load()] {
        assert_eq!(in_use(&overview), ["notes"]);
        let reason = overview["refused"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("HEARTBEAT_INTERVAL=often"), "{reason}");
    }
    client.get("/heartbeat").is(404);
    client.add_note("works").is(201);
    server.stop();
}

// E8
#[test]
fn ten_thousand_requests_are_answered_while_plugins_are_opened() {
    const REQUESTS: usize = 10_000;
    const AT_ONCE: usize = 64;
    let server = Server::start("load", &["fragile", "notes", "timing"], &[("RUST_LOG", "off")]);
    let next = AtomicUsize::new(0);
    // How many went to plugins, were notes, and were loads.
    let [to_plugins, added, loads] = [const { AtomicUsize::new(0) }; 3];
    // What came into the folder meanwhile: whether it has answered.
    let late = [("/preview", AtomicBool::new(false)), ("/heartbeat", AtomicBool::new(false))];
    let count = |what: &AtomicUsize| what.fetch_add(1, Ordering::Relaxed);

    let Server { address, plugins, .. } = &server;
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let client = Client::of(address);
                loop {
                    let number = count(&next);
                    if number >= REQUESTS {
                        break;
                    }
                    match number {
                        2_000 => install("preview", plugins),
                        4_000 => install("heartbeat", plugins),
                        6_000 => install("hello", plugins),
                        _ => {}
                    }
                    if number % 100 == 50 {
                        count(&loads);
                        client.load();
                        continue;
                    }
                    count(&to_plugins);
                    let answer = match number % 5 {
                        0 => client.get("/notes").is(200),
                        1 => {
                            count(&added);
                            let text = format!("note {number}");
                            let answer = client.add_note(&text).is(201);
                            assert_eq!(answer.json()["text"], *text);
                            answer
                        }
                        2 => {
                            let parts = number % 7 + 1;
                            let answer = client.get(&format!("/fragile/{parts}")).is(200);
                            assert_eq!(answer.body, (100 / parts).to_string());
                            answer
                        }
                        3 => client.get("/fragile/0").is(500),
                        _ => {
                            let (path, answered) = &late[number % 2];
                            let before = answered.load(Ordering::SeqCst);
                            let answer = match *path {
                                "/preview" => client.post(path, "text/plain", "*so*"),
                                _ => client.get(path),
                            };
                            // It isn't there until it has been opened, and from then on it is.
                            match answer.status {
                                200 => answered.store(true, Ordering::SeqCst),
                                404 => assert!(!before, "{path} was there before"),
                                _ => panic!("{path}: {answer:?}"),
                            }
                            answer
                        }
                    };
                    assert!(answer.timing.is_some(), "the middleware saw nothing of {answer:?}");
                }
            });
        }
    });

    let client = server.client();
    let timed = client.get("/timing").is(200).json()["requests"].as_u64().unwrap();
    assert_eq!(
        timed,
        to_plugins.load(Ordering::Relaxed) as u64,
        "so many requests went through the middleware"
    );
    let notes = client.get("/notes").is(200).json();
    let mut texts: Vec<_> =
        notes.as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), added.load(Ordering::Relaxed), "each note is there once");
    for (path, answered) in &late {
        assert!(answered.load(Ordering::Relaxed), "{path} never came");
    }
    let overview = client.get("/plugins").is(200).json();
    assert_eq!(in_use(&overview), ALL);
    assert!(overview["refused"][0]["place"].as_str().unwrap().ends_with("libhello.so"), "{overview:#}");
    assert!(loads.load(Ordering::Relaxed) >= 90);
    server.stop();
}

#[test]
fn a_server_with_a_policy_opens_what_is_signed_and_shows_who_signed_it() {
    let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let folder = BUILT[0].root().join("signed");
    std::fs::create_dir_all(&folder).unwrap();
    for plugin in ["notes", "preview"] {
        install(plugin, &folder);
    }
    let notes = std::fs::read(folder.join("libnotes.so")).unwrap();
    let signature =
        minisign::sign(None, &pair.sk, std::io::Cursor::new(notes), Some("timestamp:1767225600"), None)
            .unwrap();
    std::fs::write(folder.join("libnotes.so.minisig"), signature.to_string()).unwrap();
    let key = BUILT[0].root().join("the editors.pub");
    std::fs::write(&key, pair.pk.to_box().unwrap().to_string()).unwrap();

    let server = Server::start("signed", &[], &[("SERVER_KEYS", key.to_str().unwrap())]);
    let overview = server.client().get("/plugins").is(200).json();
    assert_eq!(in_use(&overview), ["notes"]);
    let voucher = overview["plugins"][0]["voucher"].as_str().unwrap();
    assert!(voucher.starts_with("signed with the key `the editors` ("), "{voucher}");
    assert!(voucher.ends_with("on 2026-01-01 00:00:00 UTC"), "{voucher}");
    let page = server.client().get("/").is(200).body;
    assert!(page.contains(voucher), "{page}");
    assert!(page.contains("nobody has signed it: there is no"), "{page}");
    server.stop();

    // Without one it opens both, and says of neither who made it.
    let server = Server::start("signed", &[], &[]);
    let overview = server.client().get("/plugins").is(200).json();
    assert_eq!(in_use(&overview), ["notes", "preview"]);
    assert!(overview["plugins"][0]["voucher"].is_null());
    server.stop();
}
