//! What goes wrong between here and a server, one thing after the other.

use std::time::Duration;

use ckptscope_checkpoint::http::{FolderTree, HttpError, HttpSource, Token, Url, Waiting};
use ckptscope_checkpoint::source::window_bytes;
use ckptscope_checkpoint::{ReadError, Source, Tree};
use ckptscope_fake_hub::example::TOKEN;
use ckptscope_fake_hub::{Access, Fault, Logged, Options, Origin};

use crate::support::{CONTENT, keeps_the_contract};
use crate::world::{World, repository};

/// Longer than what is taken whole where a part was asked for.
const LARGE: usize = 3 * 1024 * 1024;

fn large() -> Vec<u8> {
    (0..LARGE).map(|index| (index % 251) as u8).collect()
}

/// A world with one large file, and that file.
fn with_large_file() -> (World, std::rc::Rc<dyn Source>) {
    with_file(World::new(vec![repository(&[("a.pt", &large())])]))
}

/// The same with a client that is fit for this fault.
fn meeting(fault: Fault) -> (World, std::rc::Rc<dyn Source>) {
    if has_no_answer(fault) {
        with_file(World::impatient(vec![repository(&[("a.pt", &large())])]))
    } else {
        with_large_file()
    }
}

const fn has_no_answer(fault: Fault) -> bool {
    matches!(fault, Fault::Stall | Fault::Silence)
}

/// Whether so many requests failed; an impatient client may have thought so of others.
fn has_failures(world: &World, count: usize, fault: Fault) -> bool {
    let retries = world.waits.seconds(Waiting::BeforeRetry).len();
    retries == count || has_no_answer(fault) && retries > count
}

fn with_file(world: World) -> (World, std::rc::Rc<dyn Source>) {
    let tree = world.tree("a/b").unwrap();
    let source = world.open(&tree, "a.pt");
    (world, source)
}

/// The error of the transport, of a read that failed for good.
fn transport(error: ReadError) -> String {
    match error {
        ReadError::Transport { source, .. } => source.to_string(),
        other => panic!("no error of the transport: {other}"),
    }
}

#[test]
fn files_of_the_hub_keep_the_contract() {
    let world = World::new(vec![repository(&[("a.pt", CONTENT), ("b.txt", CONTENT)])]);
    let tree = world.tree("a/b").unwrap();
    let _entered = world.enter();
    // A large file to the hub, and a small one.
    keeps_the_contract(&*world.open(&tree, "a.pt"));
    keeps_the_contract(&*world.open(&tree, "b.txt"));
}

#[test]
fn files_at_any_address_keep_the_contract() {
    let world = World::new(vec![repository(&[("a.pt", CONTENT)])]);
    let address = format!("{}/a/b/resolve/main/a.pt", world.fake.endpoint());
    let source = world
        .block_on(HttpSource::open(&world.http, &address))
        .unwrap();
    let _entered = world.enter();
    keeps_the_contract(&source);
    let bad = world.block_on(HttpSource::open(&world.http, "file:///etc/passwd"));
    assert!(matches!(bad, Err(HttpError::BadAddress { .. })), "{bad:?}");
    let none = format!("{}/a/b/resolve/main/none.pt", world.fake.endpoint());
    let none = world.block_on(HttpSource::open(&world.http, &none));
    assert!(
        matches!(none, Err(HttpError::Status { status: 404, .. })),
        "{none:?}"
    );
}

#[test]
fn files_of_a_folder_keep_the_contract() {
    let odd = "b/100 % ä#?.pt";
    let files = repository(&[("a.pt", CONTENT), (odd, CONTENT)]);
    let token = TOKEN.to_owned();
    let world = World::new(vec![files.with_access(Access::Private { token })]);
    let folder = format!("{}/a/b/resolve/main/", world.fake.endpoint());
    let files = [odd, "a.pt", "gone.pt"].map(|path| (path.to_owned(), 10));
    let url = Url::parse(&folder).unwrap();
    let tree = FolderTree::known(&world.http, "folder", url, Token::new(TOKEN), files);
    assert_eq!(tree.files()[0].path, "a.pt");
    let _entered = world.enter();
    for path in ["a.pt", odd] {
        keeps_the_contract(&*world.block_on(tree.open(path)).unwrap());
    }
    let log = world.fake.take_log();
    let shown = log.iter().filter(|request| request.authorized).count();
    assert!(shown > 0 && !world.fake.file_host_saw_a_token());
    let missing = world.block_on(tree.open("none.pt"));
    assert!(matches!(missing, Err(ReadError::NoSuchFile { .. })));
    let gone = world.block_on(tree.open("gone.pt")).unwrap();
    let error = world.read(&*gone, 0, 5).unwrap_err().to_string();
    assert!(error.contains("gone.pt"), "{error}");
}

#[test]
fn what_was_read_of_a_folder_s_file_is_there_for_the_next_reader() {
    let world = World::new(vec![repository(&[("a.pt", CONTENT)])]);
    let folder = format!("{}/a/b/resolve/main", world.fake.endpoint());
    let url = Url::parse(&folder).unwrap();
    let tree = FolderTree::known(&world.http, "folder", url, None, [("a.pt".to_owned(), 10)]);
    let open = || world.block_on(tree.open("a.pt")).unwrap();
    world.block_on(open().read_directory(0, 4)).unwrap();
    world.fake.take_log();
    assert_eq!(world.read(&*open(), 2, 7).unwrap(), b"2345678");
    assert_eq!(world.fake.take_log().len(), 0);
}

#[test]
fn the_first_bytes_of_a_directory_come_with_more_and_are_kept() {
    let (world, source) = with_large_file();
    let window = window_bytes(LARGE as u64) as usize;
    world.requests();
    let head = world.block_on(source.read_directory(0, 16)).unwrap();
    assert_eq!(head, &large()[..16]);
    assert_eq!(world.requests(), (1, 1), "the redirect, and the range");
    let read = |length: usize| world.read(&*source, 100, length as u64).unwrap();
    assert_eq!(read(20_000), &large()[100..20_100]);
    assert_eq!(world.requests(), (0, 0), "they were there");
    assert_eq!(read(70_000), &large()[100..70_100]);
    let asked = world.fake.take_log();
    let ranges: Vec<_> = asked.iter().map(|it| it.range.as_deref()).collect();
    let rest = format!("bytes={window}-70099");
    assert_eq!(
        ranges,
        [Some(rest.as_str())],
        "and only the rest is asked for"
    );
}

#[test]
fn what_passes_is_tried_again() {
    for fault in [
        Fault::Status(503),
        Fault::Truncate,
        Fault::Stall,
        Fault::Silence,
    ] {
        for origin in [Origin::Hub, Origin::FileHost] {
            // A redirect has no body that could be cut.
            if origin == Origin::Hub && matches!(fault, Fault::Truncate | Fault::Stall) {
                continue;
            }
            let (world, source) = meeting(fault);
            world.inject(origin, "", 2, fault);
            let read = world.read(&*source, 5, 100_000).unwrap();
            assert_eq!(read, &large()[5..100_005], "{fault:?} at {origin:?}");
            assert!(has_failures(&world, 2, fault), "{fault:?} at {origin:?}");
        }
    }
}

#[test]
fn what_does_not_pass_is_said() {
    let told = |fault| {
        let (world, source) = meeting(fault);
        world.inject(Origin::FileHost, "", 99, fault);
        let error = world.read(&*source, 5, 100_000).unwrap_err();
        let (shown, whole) = (error.to_string(), transport(error));
        assert!(shown.contains("a.pt"), "{shown}");
        assert!(!shown.contains("Signature"), "a secret is shown: {shown}");
        let retries = world.patience.attempts as usize - 1;
        assert!(has_failures(&world, retries, fault), "{fault:?}");
        whole
    };
    assert!(told(Fault::Status(503)).ends_with("answered with status 503"));
    assert!(told(Fault::Truncate).contains("broke off"));
    assert!(told(Fault::Stall).contains("sent nothing for"));
    assert!(told(Fault::Silence).contains("sent nothing for"));
}

#[test]
fn a_rate_limit_is_waited_for() {
    let (world, source) = with_large_file();
    world.inject(
        Origin::Hub,
        "resolve",
        2,
        Fault::RateLimited { seconds: 55 },
    );
    world.read(&*source, 5, 100).unwrap();
    assert_eq!(world.waits.seconds(Waiting::ForRateLimit), [56, 56]);

    let (world, source) = with_large_file();
    world.inject(
        Origin::Hub,
        "resolve",
        1,
        Fault::RateLimited { seconds: 5000 },
    );
    let error = transport(world.read(&*source, 5, 100).unwrap_err());
    assert!(error.contains("allows no more requests for now"), "{error}");
    // A server that does not say how long.
    let (world, source) = with_large_file();
    world.inject(Origin::FileHost, "", 2, Fault::Status(429));
    world.read(&*source, 5, 100).unwrap();
    assert_eq!(world.waits.seconds(Waiting::ForRateLimit), [20, 40]);
}

#[test]
fn a_signature_that_expires_early_is_renewed() {
    let (world, source) = with_large_file();
    world.read(&*source, 5, 100).unwrap();
    world.fake.expire_signatures();
    world.requests();
    assert_eq!(world.read(&*source, 5, 100).unwrap(), &large()[5..105]);
    assert_eq!(world.requests(), (1, 2), "refused, resolved, read");
    world.read(&*source, 900, 100).unwrap();
    assert_eq!(world.requests(), (0, 1));
}

#[test]
fn a_signature_that_is_about_to_expire_is_not_used() {
    let options = Options {
        signature_seconds: 30,
        ..Options::default()
    };
    let repositories = vec![repository(&[("a.pt", &large())])];
    let world = World::with(repositories, options, None, Default::default());
    let source = world.open(&world.tree("a/b").unwrap(), "a.pt");
    world.read(&*source, 5, 100).unwrap();
    world.requests();
    world.read(&*source, 5, 100).unwrap();
    assert_eq!(world.requests(), (1, 1));
}

#[test]
fn a_server_that_ignores_ranges_is_not_listened_to() {
    let (world, source) = with_large_file();
    world.inject(Origin::FileHost, "", 1, Fault::IgnoreRange);
    let before = world.http.traffic().bytes;
    let error = transport(world.read(&*source, 5, 100).unwrap_err());
    assert!(error.contains("ignores ranges"), "{error}");
    assert!(error.contains(&format!("all {LARGE} bytes")), "{error}");
    assert_eq!(
        world.http.traffic().bytes,
        before,
        "not a byte of it is read"
    );

    // A small file may come whole.
    let world = World::new(vec![repository(&[("a.pt", CONTENT)])]);
    world.inject(Origin::FileHost, "", 99, Fault::IgnoreRange);
    let source = world.open(&world.tree("a/b").unwrap(), "a.pt");
    assert_eq!(world.read(&*source, 3, 4).unwrap(), b"3456");
}

#[test]
fn a_file_that_changes_is_noticed() {
    let (world, source) = with_large_file();
    world.read(&*source, 5, 100).unwrap();
    world.inject(Origin::FileHost, "", 1, Fault::Changed);
    let error = transport(world.read(&*source, 900, 100).unwrap_err());
    assert!(error.contains("has changed since"), "{error}");
}

#[test]
fn a_read_that_is_dropped_leaves_nothing_behind() {
    let (world, source) = with_large_file();
    world.inject(Origin::FileHost, "", 8, Fault::Silence);
    world.block_on(async {
        // As many as may be under way at once: each must give its place back.
        for _ in 0..8 {
            let mut read = source.read_at(5, 100);
            let is_asked = |it: &Logged| it.origin == Origin::FileHost;
            while !world.fake.take_log().iter().any(is_asked) {
                let outcome = tokio::time::timeout(Duration::from_millis(1), &mut read).await;
                assert!(outcome.is_err());
            }
        }
    });
    assert_eq!(world.read(&*source, 5, 100).unwrap(), &large()[5..105]);
}
