//! Somebody else's AuthZEN client against a server: `authzen-rust BASE`. Prints what it was told as JSON. The crate leaves the transport to
//! its user: here it is `curl`, which takes the certificate to trust from `CURL_CA_BUNDLE`.
use openidauthzen::http::{HttpClient, HttpResponse, Method};
use openidauthzen::*;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

struct Curl;

#[async_trait::async_trait]
impl HttpClient for Curl {
    async fn request(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<HttpResponse, Error> {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--write-out",
            "\n%{http_code}",
            url,
        ]);
        for (name, value) in headers {
            command.args(["--header", &format!("{name}: {value}")]);
        }
        if let Method::Post = method {
            command.args([
                "--header",
                "content-type: application/json",
                "--data-binary",
                "@-",
            ]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("curl");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(&body.unwrap_or_default())
            .expect("curl reads");
        let said = child.wait_with_output().expect("curl ends").stdout;
        let end = said
            .iter()
            .rposition(|byte| *byte == b'\n')
            .expect("a status");
        let status = String::from_utf8_lossy(&said[end + 1..])
            .parse()
            .expect("a status");
        Ok(HttpResponse {
            status,
            headers: vec![],
            body: said[..end].to_vec(),
        })
    }
}

fn subject(id: Option<&str>) -> Subject {
    Subject {
        subject_type: "user".into(),
        id: id.map(Into::into),
        properties: None,
    }
}
fn record(id: Option<&str>) -> Resource {
    Resource {
        resource_type: "record".into(),
        id: id.map(Into::into),
        properties: None,
    }
}
fn action(name: &str) -> Action {
    Action {
        name: name.into(),
        properties: None,
    }
}

async fn ask(base: &str) -> Result<Value, Error> {
    let client = AuthZenClient::new(Curl, Duration::from_secs(60));
    let metadata = client.discover(base).await?;
    let mut decisions = vec![];
    for name in ["read", "delete"] {
        let request = EvaluationRequest {
            subject: subject(Some("alice")),
            action: action(name),
            resource: record(Some("record-1")),
            context: None,
        };
        decisions.push(client.evaluate(base, "none", &request).await?.decision);
    }
    let item = |name: &str| EvaluationItem {
        subject: None,
        action: Some(action(name)),
        resource: None,
        context: None,
    };
    let batch = EvaluationsRequest {
        subject: Some(subject(Some("alice"))),
        action: None,
        resource: Some(record(Some("record-1"))),
        context: None,
        evaluations: vec![item("read"), item("delete"), item("write")],
        options: None,
    };
    let batch = client
        .evaluate_batch(base, "none", &batch)
        .await?
        .evaluations;

    // Page by page, until the token is empty.
    let (mut subjects, mut pages, mut token) = (vec![], 0, None);
    loop {
        let request = SubjectSearchRequest {
            subject: subject(None),
            action: action("read"),
            resource: record(Some("record-1")),
            context: None,
            page: Some(Page {
                token,
                limit: Some(1),
                properties: None,
            }),
        };
        let found = client.search_subjects(base, "none", &request).await?;
        subjects.extend(found.results.into_iter().filter_map(|subject| subject.id));
        pages += 1;
        token = found
            .page
            .and_then(|page| page.next_token)
            .filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    let resources = ResourceSearchRequest {
        subject: subject(Some("alice")),
        action: action("read"),
        resource: record(None),
        context: None,
        page: None,
    };
    let resources = client
        .search_resources(base, "none", &resources)
        .await?
        .results;
    let actions = ActionSearchRequest {
        subject: subject(Some("alice")),
        resource: record(Some("record-1")),
        context: None,
        page: None,
    };
    let actions = client.search_actions(base, "none", &actions).await?.results;
    Ok(json!({
        "pdp": metadata.policy_decision_point,
        "decisions": decisions,
        "batch": batch.into_iter().map(|each| each.decision).collect::<Vec<_>>(),
        "subjects": subjects,
        "pages": pages,
        "resources": resources.into_iter().filter_map(|each| each.id).collect::<Vec<_>>(),
        "actions": actions.into_iter().map(|each| each.name).collect::<Vec<_>>(),
    }))
}

fn main() -> Result<(), Error> {
    let base = std::env::args().nth(1).expect("usage: authzen-rust BASE");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    println!("{}", runtime.block_on(ask(&base))?);
    Ok(())
}
