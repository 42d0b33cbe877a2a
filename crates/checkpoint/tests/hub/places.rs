//! Places out of a browser's address bar, and listings that are sent to others.

use std::io;
use std::sync::{Arc, Mutex};

use ckptscope_checkpoint::Tree;
use ckptscope_checkpoint::http::transport::{Body, Failure, Outgoing, Response, Transport};
use ckptscope_checkpoint::http::{Headers, HttpClient, HttpTree, Patience, Url};
use ckptscope_checkpoint::hub::{HubTree, Manifest};
use ckptscope_fake_hub::example::{PICO, PICO_BRANCH, TOKEN};
use futures_core::future::LocalBoxFuture;

use crate::world::{Waits, World, changes, repository};

#[test]
fn a_listing_can_be_sent_and_nobody_lists_again() {
    let world = World::of_examples(Some(TOKEN));
    let tree = world.tree(&format!("{PICO}@{PICO_BRANCH}")).unwrap();
    let text = serde_json::to_string(&tree.manifest()).unwrap();
    assert!(!text.contains(TOKEN));
    let other = World::of_examples(None);
    let sent: Manifest = serde_json::from_str(&text).unwrap();
    let sent = other.hub.listed(sent);
    assert_eq!(other.requests(), (0, 0));
    assert_eq!((sent.name(), sent.files()), (tree.name(), tree.files()));
    let run = |world: &World, tree: &HubTree| world.block_on(tree.find_run()).unwrap();
    assert_eq!(run(&other, &sent), run(&world, &tree));
    let path = &tree.files()[1].path;
    let bytes = |world: &World, tree: &HubTree| {
        let source = world.open(tree, path);
        world.read(&*source, 0, source.bytes()).unwrap()
    };
    assert_eq!(bytes(&other, &sent), bytes(&world, &tree));
    assert_eq!(sent.content_id(path), tree.content_id(path));
}

#[test]
fn the_commit_that_was_listed_leads_to_the_same_files() {
    let world = World::of_examples(None);
    let tree = world.tree(&format!("{PICO}@{PICO_BRANCH}")).unwrap();
    let pinned = format!("{PICO}@{}", tree.pin().unwrap());
    let again = world.tree(&pinned).unwrap();
    assert_eq!(again.files(), tree.files());
    assert_eq!(again.pin(), tree.pin());
}

#[test]
fn a_branch_s_name_ends_where_the_hub_says() {
    let mut repository = repository(&[("x.safetensors", b"1")]);
    for branch in ["one", "one/two"] {
        repository.commit(branch, "Upload", changes(&[("y/z.pt", b"2")]));
    }
    let world = World::new(vec![repository]);
    let part = |segments: &[&str]| {
        let segments: Vec<String> = segments.iter().map(|it| (*it).to_owned()).collect();
        let (address, path) = world.block_on(world.hub.part("a/b", &segments)).unwrap();
        (address.revision.unwrap(), path)
    };
    let of = |revision: &str, path: Option<&str>| (revision.to_owned(), path.map(str::to_owned));
    assert_eq!(part(&["one", "two"]), of("one/two", None));
    assert_eq!(part(&["one", "two", "y"]), of("one/two", Some("y")));
    assert_eq!(part(&["one", "y", "z.pt"]), of("one", Some("y/z.pt")));
    assert_eq!(part(&["one/two", "y"]), of("one/two", Some("y")));
    // A commit, or a branch that is not there.
    assert_eq!(part(&["0123", "y"]), of("0123", Some("y")));
}

#[test]
fn one_file_or_folder_comes_with_the_config() {
    let world = World::new(vec![repository(&[
        ("config.json", b"{}"),
        ("a/model.safetensors.index.json", b"{}"),
        ("a/model-00001-of-00001.safetensors", b"1"),
        ("ab/model.safetensors", b"2"),
        ("b.safetensors", b"3"),
    ])]);
    let only = |path: &str| {
        let tree = world.tree("a/b").unwrap().only(path);
        let paths = tree.map(|tree| {
            let files = tree.files().iter();
            files.map(|file| file.path.clone()).collect::<Vec<_>>()
        });
        paths.map_err(|error| error.to_string())
    };
    let folder = [
        "a/model-00001-of-00001.safetensors",
        "a/model.safetensors.index.json",
        "config.json",
    ];
    assert_eq!(only("a").unwrap(), folder);
    assert_eq!(only("a/model.safetensors.index.json").unwrap(), folder);
    assert_eq!(
        only("b.safetensors").unwrap(),
        ["b.safetensors", "config.json"]
    );
    assert_eq!(only("c").unwrap_err(), "there is no c in a/b@main");
}

/// A server that lets nobody see `Content-Range`, as many do for pages elsewhere.
#[derive(Default)]
struct Shy(Arc<Mutex<Vec<Option<String>>>>);

/// 100,000 zeros.
const LENGTH: usize = 100_000;

struct Zeros(usize);

impl Transport for Shy {
    fn send<'a>(
        &'a self,
        request: &'a Outgoing<'_>,
    ) -> LocalBoxFuture<'a, Result<Response, Failure>> {
        let range = request.headers.iter().find(|(name, _)| *name == "range");
        let range = range.map(|(_, value)| value.clone());
        self.0.lock().unwrap().push(range.clone());
        Box::pin(async move {
            let part = range.as_deref().and_then(|range| {
                let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
                let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
                Some(last.min(LENGTH - 1) + 1 - first)
            });
            let length = part.unwrap_or(LENGTH);
            let stated = |name: &str| (name == "content-length").then(|| length.to_string());
            Ok(Response {
                status: if part.is_some() { 206 } else { 200 },
                url: request.url.clone(),
                redirects: 0,
                headers: Headers::read(stated),
                body: Box::new(Zeros(length)),
            })
        })
    }
}

impl Body for Zeros {
    fn read_piece<'a>(
        &'a mut self,
        to: &'a mut Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<bool, Failure>> {
        Box::pin(async move {
            if self.0 == LENGTH {
                return Err(io::Error::other("nobody wants the whole").into());
            }
            to.resize(to.len() + self.0, 0);
            Ok(std::mem::take(&mut self.0) > 0)
        })
    }
}

#[test]
fn a_length_is_learnt_without_reading_the_whole() {
    let world = World::new(Vec::new());
    let shy = Shy::default();
    let asked = Arc::clone(&shy.0);
    let client = HttpClient::over(Arc::new(shy), Arc::<Waits>::default(), Patience::default());
    let client = Arc::new(client.with_requests_at_once(1));
    let address = Url::parse("http://shy/a%20b.pt?signature=1").unwrap();
    let tree = world.block_on(HttpTree::open(&client, &address)).unwrap();
    assert_eq!(tree.bytes(), LENGTH as u64);
    assert_eq!(tree.files()[0].path, "a b.pt");
    assert_eq!(tree.name(), "http://shy/a%20b.pt");
    assert_eq!(
        std::mem::take(&mut *asked.lock().unwrap()),
        [Some("bytes=0-16383".to_owned()), None]
    );
    // Who knows the length asks for what is wanted, and nothing else.
    let known = HttpTree::known(&client, &address, LENGTH as u64);
    let source = world.block_on(known.open("a b.pt")).unwrap();
    assert_eq!(world.read(&*source, 90_000, 10).unwrap(), [0; 10]);
    assert_eq!(
        *asked.lock().unwrap(),
        [Some("bytes=90000-90009".to_owned())]
    );
}
