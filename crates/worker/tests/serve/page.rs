//! The page, as a browser gets it.

use crate::runs::{CONFIG, Scratch};
use crate::server::{SMALL, Server};

const INDEX: &str = "<!doctype html><head>\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'\">\
    <meta name=\"worker\" content=\"\"></head>";

#[test]
fn the_page_knows_who_served_it() {
    let scratch = Scratch::with_run(SMALL);
    scratch.write("page/index.html", INDEX);
    scratch.write("page/app-0123456789abcdef.js", "let a;");
    scratch.write("page/demo/run.json", "{}");
    scratch.write("page/.hidden", "x");
    let server = Server::start(&scratch, &["--page", "page", "--token", "secret"]);
    let page = server.ask("GET", "/").send().expect(200);
    assert!(
        page.text()
            .contains("<meta name=\"worker\" content=\"./\">"),
        "{}",
        page.text()
    );
    assert!(!page.text().contains("secret"));
    let policy = &page.headers["content-security-policy"];
    assert_eq!(
        policy,
        "default-src 'none'; script-src 'self'; frame-ancestors 'none'"
    );
    assert_eq!(page.headers["cache-control"], "no-cache");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert_eq!(
        server.ask("GET", "/index.html").send().expect(200).body,
        page.body
    );

    let script = server
        .ask("GET", "/app-0123456789abcdef.js")
        .send()
        .expect(200);
    assert_eq!(script.text(), "let a;");
    assert_eq!(
        script.headers["content-type"],
        "text/javascript; charset=utf-8"
    );
    assert!(script.headers["cache-control"].contains("immutable"));
    let data = server.ask("GET", "/demo/run.json").send().expect(200);
    assert_eq!(
        (
            data.headers["content-type"].as_str(),
            data.headers["cache-control"].as_str()
        ),
        ("application/json", "no-cache")
    );
    for missing in ["/x.js", "/.hidden", "/demo", "/demo/", "/s/x-y"] {
        server
            .ask("GET", missing)
            .send()
            .refuses(404, &["there is no such"]);
    }
}

#[test]
fn without_a_page_it_says_how_to_get_one() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &["--page", "nowhere"]);
    assert!(
        server
            .ask("GET", "/")
            .send()
            .expect(200)
            .text()
            .contains("cargo xtask build")
    );
}

#[test]
fn a_short_link_leads_to_its_analysis() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    let led = server.ask("GET", &format!("/s/{id}")).send().expect(303);
    assert_eq!(led.headers["location"], format!("/#analysis={id}"));
    // The page says that there is none.
    server.ask("GET", "/s/0123").send().expect(303);
    // It is led by the id and nothing else.
    let words = ["no such analysis"];
    server
        .ask("GET", "/s/1&token=x")
        .send()
        .refuses(404, &words);
    server.ask("GET", "/s/1%0d%0a").send().refuses(404, &words);
}
