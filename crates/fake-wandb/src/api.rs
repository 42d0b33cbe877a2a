//! The paths that a client asks: GraphQL, streams of rows, files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ckptscope_loopback::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::state::State;
use crate::{ENTITY, KEY};

/// Longer requests are refused, as the real server does.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

pub(crate) fn answer(state: &State, request: &HttpRequest) -> HttpResponse {
    let path: Vec<&str> = request.path().split('/').skip(1).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", ["received"]) => received(state),
        // An address that was given out by `createRunFiles` is signed, and asked without a key.
        ("PUT", ["upload", run, file @ ..]) => upload(state, run, &file.join("/"), request),
        _ if !is_authorized(request) => in_json(401, &json!({"error": "wrong key"})),
        _ if request.body.len() > MAX_BODY_BYTES => in_json(413, &json!({"error": "too long"})),
        ("POST", ["graphql"]) => match serde_json::from_slice(&request.body) {
            Ok(question) => graphql(state, &question),
            Err(error) => refused(&error.to_string()),
        },
        ("POST", ["files", entity, project, run, "file_stream"]) => {
            file_stream(state, [entity, project, run], &request.body)
        }
        _ => in_json(404, &json!({"error": "no such path"})),
    }
}

fn is_authorized(request: &HttpRequest) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(format!("api:{KEY}")));
    request.header("authorization") == Some(&expected)
}

fn in_json(status: u16, value: &Value) -> HttpResponse {
    let response = HttpResponse::new(status, value.to_string().into_bytes());
    response.with("Content-Type", "application/json")
}

fn refused(reason: &str) -> HttpResponse {
    in_json(400, &json!({ "error": reason }))
}

fn received(state: &State) -> HttpResponse {
    let runs: serde_json::Map<String, Value> = state
        .runs()
        .iter()
        .map(|(id, run)| (id.clone(), run.to_json()))
        .collect();
    in_json(200, &Value::Object(runs))
}

fn graphql(state: &State, question: &Value) -> HttpResponse {
    let nothing = Value::Null;
    let variables = question.get("variables").unwrap_or(&nothing);
    let text = |name: &str| variables.get(name).and_then(Value::as_str);
    let operation = question.get("operationName").and_then(Value::as_str);
    let answer = match operation.unwrap_or_default() {
        "Viewer" => Ok(viewer()),
        "UpsertBucket" => upsert(state, text("name"), variables),
        "CreateRunFiles" => text("run")
            .ok_or_else(|| "no run".to_owned())
            .map(|run| run_files(state, run, variables)),
        other => Err(format!("the fake server does not know {other:?}")),
    };
    match answer {
        Ok(data) => in_json(200, &json!({ "data": data })),
        Err(message) => in_json(200, &json!({"errors": [{ "message": message }]})),
    }
}

fn viewer() -> Value {
    json!({"viewer": {
        "id": "1", "entity": ENTITY, "username": ENTITY, "email": "fake@example.org",
        "flags": "{}", "teams": {"edges": []},
    }})
}

fn upsert(state: &State, id: Option<&str>, variables: &Value) -> Result<Value, String> {
    let id = id.ok_or("a run without a name")?;
    let text = |name: &str| variables.get(name).and_then(Value::as_str);
    let entity = text("entity").unwrap_or(ENTITY);
    if entity != ENTITY {
        return Err(format!("entity {entity} not found during upsertBucket"));
    }
    let mut runs = state.runs();
    let is_new = !runs.contains_key(id);
    let run = runs.entry(id.to_owned()).or_default();
    entity.clone_into(&mut run.entity);
    text("project")
        .unwrap_or("uncategorized")
        .clone_into(&mut run.project);
    run.upsert(variables)?;
    let project = json!({"id": "1", "name": run.project, "entity": {"id": "1", "name": entity}});
    let bucket = json!({
        "id": "1", "name": id, "displayName": run.display_name, "description": null,
        "config": null, "sweepName": null, "project": project,
        "historyLineCount": run.history.len(),
    });
    Ok(json!({"upsertBucket": {"bucket": bucket, "inserted": is_new}}))
}

fn run_files(state: &State, run: &str, variables: &Value) -> Value {
    let names = variables.get("files").and_then(Value::as_array);
    let files: Vec<Value> = names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|name| {
            let address = format!("{}/upload/{run}/{name}", state.base_url);
            json!({"name": name, "uploadUrl": address})
        })
        .collect();
    json!({"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": files}})
}

fn file_stream(state: &State, [entity, project, id]: [&str; 3], body: &[u8]) -> HttpResponse {
    let mut runs = state.runs();
    let run = runs.get_mut(id);
    let Some(run) =
        run.filter(|run| (run.entity.as_str(), run.project.as_str()) == (entity, project))
    else {
        return in_json(404, &json!({"error": "no such run"}));
    };
    let taken = serde_json::from_slice(body)
        .map_err(|error| error.to_string())
        .and_then(|body| run.stream(&body));
    match taken {
        Ok(()) => in_json(200, &json!({"exitcode": null, "limits": {}})),
        Err(reason) => refused(&reason),
    }
}

fn upload(state: &State, run: &str, file: &str, request: &HttpRequest) -> HttpResponse {
    match state.runs().get_mut(run) {
        Some(run) => {
            run.files.insert(file.to_owned(), request.body.len());
            in_json(200, &json!({}))
        }
        None => in_json(404, &json!({"error": "no such run"})),
    }
}
