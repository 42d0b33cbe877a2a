//! The hub's own origin: commits, trees, refs and files.

use std::collections::BTreeSet;

use ckptscope_loopback::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::address::{decoded, encoded, path, query};
use crate::fault::Fault;
use crate::files;
use crate::object::Object;
use crate::repository::{Access, Commit, Repository};
use crate::signature;
use crate::state::State;

/// The headers that a page of another origin may read.
const EXPOSED: &str = "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,\
    ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash";

/// Answers a request, with what every answer of the hub has.
pub(crate) fn answer(state: &State, request: &HttpRequest, fault: Option<Fault>) -> HttpResponse {
    let response = if request.method == "OPTIONS" {
        preflight()
    } else {
        route(state, request, fault).unwrap_or_else(|refusal| refusal)
    };
    response
        .with("Access-Control-Allow-Origin", "*")
        .with("Access-Control-Expose-Headers", EXPOSED)
        .with("RateLimit", "\"api\";r=499;t=300")
}

fn preflight() -> HttpResponse {
    HttpResponse::new(204, *b"")
        .with("Access-Control-Allow-Methods", "GET,HEAD,POST,OPTIONS")
        .with(
            "Access-Control-Allow-Headers",
            "authorization,content-type,range",
        )
        .with("Access-Control-Max-Age", "86400")
}

fn route(
    state: &State,
    request: &HttpRequest,
    fault: Option<Fault>,
) -> Result<HttpResponse, HttpResponse> {
    let segments: Vec<String> = path(&request.target)
        .trim_start_matches('/')
        .split('/')
        .map(decoded)
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let place = match segments.as_slice() {
        ["api", "models", owner, name, rest @ ..] => (owner, name, rest),
        ["api", "resolve-cache", "models", owner, name, rest @ ..] => {
            let repository = readable(state, request, &format!("{owner}/{name}"))?;
            return cached_file(repository, request, rest, fault);
        }
        [owner, name, "resolve", revision, rest @ ..] => {
            let repository = readable(state, request, &format!("{owner}/{name}"))?;
            let commit = revision_of(repository, revision)?;
            return resolved(state, repository, commit, &rest.join("/"));
        }
        _ => return Err(refusal(404, None, "Sorry, we can't find the page")),
    };
    let (owner, name, rest) = place;
    let repository = readable(state, request, &format!("{owner}/{name}"))?;
    match rest {
        [] => Ok(information(repository, revision_of(repository, "main")?)),
        ["revision", revision] => Ok(information(repository, revision_of(repository, revision)?)),
        ["refs"] => Ok(refs(repository)),
        ["commits", revision] => commits(
            state,
            request,
            repository,
            revision_of(repository, revision)?,
        ),
        ["tree", revision, path @ ..] => {
            let commit = revision_of(repository, revision)?;
            tree(state, request, commit, &path.join("/"))
        }
        ["paths-info", revision] => paths_info(request, revision_of(repository, revision)?),
        _ => Err(refusal(404, None, "Sorry, we can't find the page")),
    }
}

/// A repository that the request may read; to others it does not exist.
fn readable<'a>(
    state: &'a State,
    request: &HttpRequest,
    name: &str,
) -> Result<&'a Repository, HttpResponse> {
    let token = request
        .header("authorization")
        .and_then(|text| text.strip_prefix("Bearer "));
    let is_known = |token: &str| {
        let private = state.repositories.iter().map(|it| &it.access);
        private
            .into_iter()
            .any(|access| matches!(access, Access::Private { token: own } if own == token))
    };
    if token.is_some_and(|token| !is_known(token)) {
        let message = "Invalid credentials in Authorization header";
        return Err(refusal(401, None, message));
    }
    let not_found = || {
        let status = if token.is_some() { 404 } else { 401 };
        refusal(status, Some("RepoNotFound"), "Repository not found")
    };
    let repository = state.repository(name).ok_or_else(not_found)?;
    match &repository.access {
        Access::Private { token: own } if token != Some(own) => Err(not_found()),
        _ => Ok(repository),
    }
}

fn revision_of<'a>(repository: &'a Repository, revision: &str) -> Result<&'a Commit, HttpResponse> {
    let message = format!("Invalid rev id: {revision}");
    let refused = || refusal(404, Some("RevisionNotFound"), &message);
    repository.revision(revision).ok_or_else(refused)
}

fn refusal(status: u16, code: Option<&'static str>, message: &str) -> HttpResponse {
    let response = of_json(status, &json!({"error": message})).with("X-Error-Message", message);
    match code {
        Some(code) => response.with("X-Error-Code", code),
        None => response,
    }
}

fn of_json(status: u16, value: &Value) -> HttpResponse {
    let response = HttpResponse::new(status, value.to_string().into_bytes());
    response.with("Content-Type", "application/json; charset=utf-8")
}

fn information(repository: &Repository, commit: &Commit) -> HttpResponse {
    let siblings: Vec<Value> = commit
        .files
        .keys()
        .map(|path| json!({"rfilename": path}))
        .collect();
    let value = json!({
        "id": repository.name, "modelId": repository.name, "sha": commit.id,
        "private": matches!(repository.access, Access::Private { .. }),
        "gated": if repository.access == Access::Gated { json!("manual") } else { json!(false) },
        "tags": [], "downloads": 0, "likes": 0, "siblings": siblings,
    });
    of_json(200, &value)
}

fn refs(repository: &Repository) -> HttpResponse {
    let list = |kind: &str, names: Vec<(&str, &str)>| -> Vec<Value> {
        let value = |(name, commit)| json!({"name": name, "ref": format!("refs/{kind}/{name}"), "targetCommit": commit});
        names.into_iter().map(value).collect()
    };
    let value = json!({
        "branches": list("heads", repository.branches().collect()),
        "tags": list("tags", repository.tags().collect()),
        "converts": [],
    });
    of_json(200, &value)
}

fn commits(
    state: &State,
    request: &HttpRequest,
    repository: &Repository,
    commit: &Commit,
) -> Result<HttpResponse, HttpResponse> {
    let all: Vec<Value> = repository
        .history(commit)
        .map(|commit| {
            json!({
                "id": commit.id, "title": commit.title, "message": "", "date": commit.date,
                "authors": [{"user": "somebody"}],
            })
        })
        .collect();
    let total = all.len().to_string();
    Ok(page(state, request, all)?.with("X-Total-Count", total))
}

/// One page of a list, with the address of the next.
fn page(
    state: &State,
    request: &HttpRequest,
    all: Vec<Value>,
) -> Result<HttpResponse, HttpResponse> {
    let number = |name: &str| query(&request.target, name).and_then(|text| text.parse().ok());
    let limit: usize = number("limit").unwrap_or(usize::MAX);
    if limit != usize::MAX && limit > 1000 {
        return Err(refusal(
            400,
            None,
            "limit must be less than or equal to 1000",
        ));
    }
    let (start, count) = (
        number("cursor").unwrap_or(0),
        limit.min(state.options.page_entries),
    );
    let rest = all.len().saturating_sub(start);
    let entries: Vec<Value> = all.into_iter().skip(start).take(count).collect();
    let response = of_json(200, &Value::Array(entries));
    if rest <= count {
        return Ok(response);
    }
    let kept = request
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    let kept = kept
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let kept: String = kept.map(|pair| format!("{pair}&")).collect();
    let own = state.endpoint.as_str();
    let origin = state.options.linked_origin.unwrap_or(own);
    let path = path(&request.target);
    let link = format!(
        "<{origin}{path}?{kept}cursor={}>; rel=\"next\"",
        start + count
    );
    Ok(response.with("Link", link))
}

fn tree(
    state: &State,
    request: &HttpRequest,
    commit: &Commit,
    folder: &str,
) -> Result<HttpResponse, HttpResponse> {
    let prefix = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let is_recursive = query(&request.target, "recursive").is_some_and(|text| text != "false");
    let mut folders = BTreeSet::new();
    let mut entries = Vec::new();
    for (path, object) in &commit.files {
        let Some(inside) = path.strip_prefix(&prefix) else {
            continue;
        };
        for (slash, _) in inside.match_indices('/') {
            let below = inside.get(..slash).unwrap_or_default();
            let is_new = folders.insert(below.to_owned());
            if is_new && (is_recursive || !below.contains('/')) {
                let path = format!("{prefix}{below}");
                let oid = crate::object::id_of(&path);
                entries.push(json!({"type": "directory", "oid": oid, "size": 0, "path": path}));
            }
        }
        if is_recursive || !inside.contains('/') {
            entries.push(file_entry(path, object));
        }
    }
    if entries.is_empty() && !folder.is_empty() {
        let message = format!("{folder} does not exist on \"{}\"", commit.id);
        return Err(refusal(404, Some("EntryNotFound"), &message));
    }
    page(state, request, entries)
}

fn file_entry(path: &str, object: &Object) -> Value {
    let mut entry = json!({
        "type": "file", "oid": object.git_id, "size": object.content.len(), "path": path,
    });
    if let Some(id) = &object.lfs_id {
        entry["lfs"] = json!({
            "oid": id, "size": object.content.len(), "pointerSize": object.pointer_bytes(),
        });
    }
    entry
}

fn paths_info(request: &HttpRequest, commit: &Commit) -> Result<HttpResponse, HttpResponse> {
    let found: Vec<Value> = asked_paths(request)?
        .iter()
        .filter_map(|path| Some(file_entry(path, commit.files.get(path)?)))
        .collect();
    Ok(of_json(200, &Value::Array(found)))
}

/// The paths of a body that is JSON, or a form as Python's client sends it.
fn asked_paths(request: &HttpRequest) -> Result<Vec<String>, HttpResponse> {
    let kind = request.header("content-type").unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        let form = String::from_utf8_lossy(&request.body);
        let values = form
            .split('&')
            .filter_map(|pair| pair.strip_prefix("paths="));
        return Ok(values
            .map(|value| decoded(&value.replace('+', " ")))
            .collect());
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| refusal(400, None, "the body is neither JSON nor a form"))?;
    let paths = body["paths"].as_array().map(Vec::as_slice);
    let paths = paths.unwrap_or_default().iter().filter_map(Value::as_str);
    Ok(paths.map(str::to_owned).collect())
}

/// The first answer for a file: a redirect, and what is said only here.
fn resolved(
    state: &State,
    repository: &Repository,
    commit: &Commit,
    path: &str,
) -> Result<HttpResponse, HttpResponse> {
    if repository.access == Access::Gated {
        let message = format!("Access to model {} is restricted", repository.name);
        return Err(refusal(403, Some("GatedRepo"), &message));
    }
    let object = commit.files.get(path).ok_or_else(|| {
        refusal(404, Some("EntryNotFound"), "Entry not found").with("X-Repo-Commit", &commit.id)
    })?;
    let (status, location) = match &object.lfs_id {
        Some(id) => (302, signature::signed(state, id)),
        None => {
            let segments: Vec<String> = path.split('/').map(encoded).collect();
            let (name, id, path) = (&repository.name, &commit.id, segments.join("/"));
            (307, format!("/api/resolve-cache/models/{name}/{id}/{path}"))
        }
    };
    let body = format!("Found. Redirecting to {location}");
    Ok(HttpResponse::new(status, body.into_bytes())
        .with("Location", location)
        .with("X-Repo-Commit", &commit.id)
        .with("X-Linked-Size", object.content.len().to_string())
        .with("X-Linked-ETag", format!("\"{}\"", object.tag()))
        .with("Accept-Ranges", "bytes"))
}

/// A small file, from the hub's own origin.
fn cached_file(
    repository: &Repository,
    request: &HttpRequest,
    rest: &[&str],
    fault: Option<Fault>,
) -> Result<HttpResponse, HttpResponse> {
    let (revision, path) = rest
        .split_first()
        .ok_or_else(|| refusal(404, None, "no revision"))?;
    let commit = revision_of(repository, revision)?;
    let object = commit.files.get(&path.join("/"));
    let object = object.ok_or_else(|| refusal(404, Some("EntryNotFound"), "Entry not found"))?;
    let response = files::answer(request, &object.content, object.tag(), fault);
    Ok(response.with("X-Repo-Commit", &commit.id))
}
