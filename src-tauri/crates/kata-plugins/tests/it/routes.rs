//! Paths of the gateway that belong to plugins: who may have one, who is let in, and what is answered.

use crate::support::*;
use kata_core::ports::{RouteAnswer, RouteRefusal, RouteRequest, Routes};
use serde_json::{Value, json};

const MODULE: &str = "const hex = (b) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, '0')).join('');\n\
  export default (api) => api.registerRoute({ path: 'in/hook', methods: ['POST', 'PUT'],\n\
    async verify(request, ctx) {\n\
      if (request.headers['x-throw']) throw new Error('bad signature');\n\
      const key = await crypto.subtle.importKey('raw', new TextEncoder().encode('key'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);\n\
      return hex(await crypto.subtle.sign('HMAC', key, request.bytes)) === request.headers['x-signature'];\n\
    },\n\
    async handle(request, ctx) {\n\
      if (request.body === 'fail') throw new Error('broken');\n\
      if (request.body === 'web') return Response.json({ a: 1 }, { status: 202 });\n\
      if (request.body === 'odd') return { status: 99 };\n\
      return { status: 201, headers: { 'X-A': 'b', 'Set-Cookie': 'x', 'Content-Length': '1' }, body: [request.method, request.path, request.query, request.bytes.length, request.headers['x-two']].join('|') };\n\
    } });";

fn with_route(id: &str) -> Value {
    let mut manifest = manifest(id);
    manifest["contributes"]["routes"] = json!(["in/hook"]);
    manifest["capabilities"].as_array_mut().unwrap().push(json!("route:in/hook"));
    manifest
}

/// HMAC-SHA256 with the key `key`.
fn signature(body: &[u8]) -> String {
    use aws_lc_rs::hmac;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"key"), body);
    tag.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn request(body: &[u8], headers: &[(&str, &str)]) -> RouteRequest {
    RouteRequest {
        plugin: "p".into(),
        path: "in/hook".into(),
        method: "POST".into(),
        query: "a=%20b".into(),
        headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        body: body.to_vec(),
    }
}

fn signed(body: &[u8]) -> RouteRequest {
    request(body, &[("x-signature", &signature(body)), ("x-two", "1"), ("x-two", "2")])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_verified_over_its_raw_bytes_before_it_is_handled() {
    let bench = Bench::new();
    bench
        .activate(bench.write("p", &with_route("p"), &[("index.ts", MODULE)]))
        .await
        .unwrap();
    let told = bench.host.registered(&id("p")).unwrap().routes;
    assert_eq!(
        (told[0].path.as_str(), told[0].methods.join(",")),
        ("/hooks/p/in/hook", "POST,PUT".into())
    );

    // Bytes that are no text: a signature is over the bytes.
    let answer = bench.host.serve(signed(&[0, 255, 1])).await.unwrap();
    assert_eq!(
        answer,
        RouteAnswer {
            status: 201,
            headers: vec![("X-A".into(), "b".into())],
            body: "POST|in/hook|a=%20b|3|1, 2".into()
        }
    );
    let web = bench.host.serve(signed(b"web")).await.unwrap();
    assert_eq!((web.status, web.body.as_str()), (202, r#"{"a":1}"#));
    assert!(web.headers.contains(&("content-type".into(), "application/json".into())));
    for stranger in [
        request(b"x", &[]),
        request(b"x", &[("x-signature", "00")]),
        request(b"x", &[("x-throw", "1")]),
    ] {
        assert_eq!(bench.host.serve(stranger).await.unwrap().status, 401);
    }
    assert!(bench.fault_kinds().is_empty(), "a stranger is no fault of the plugin");
    assert_eq!(bench.host.serve(signed(b"fail")).await, Err(RouteRefusal::Failed));
    assert!(bench.fault("throw").await.message.contains("route in/hook"));
    assert_eq!(bench.host.serve(signed(b"odd")).await, Err(RouteRefusal::Failed));
    assert!(bench.fault("bad_result").await.message.contains("status is 99"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_nobody_has_or_may_have_is_not_there() {
    let bench = Bench::new();
    bench
        .activate(bench.write("p", &with_route("p"), &[("index.ts", MODULE)]))
        .await
        .unwrap();
    let with = |change: fn(&mut RouteRequest)| {
        let mut request = signed(b"x");
        change(&mut request);
        request
    };
    for elsewhere in [
        with(|r| r.path = "in".into()),
        with(|r| r.plugin = "q".into()),
        with(|r| r.plugin = "../p".into()),
        with(|r| r.path = "in/hook/".into()),
    ] {
        assert_eq!(
            bench.host.serve(elsewhere.clone()).await,
            Err(RouteRefusal::NotFound),
            "{elsewhere:?}"
        );
    }
    assert_eq!(
        bench.host.serve(with(|r| r.method = "GET".into())).await,
        Err(RouteRefusal::Method("POST, PUT".into()))
    );
    bench.host.revoke(&id("p"), "route:in/hook");
    assert_eq!(bench.host.serve(signed(b"x")).await, Err(RouteRefusal::NotFound), "taken back");
    bench.host.deactivate(&id("p")).await;
    assert_eq!(bench.host.serve(signed(b"x")).await, Err(RouteRefusal::NotFound));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_that_the_manifest_does_not_declare_or_the_person_did_not_grant_is_refused() {
    let bench = Bench::new();
    let mut undeclared = with_route("p");
    undeclared["contributes"]["routes"] = json!(["other"]);
    undeclared["capabilities"] = json!(["route:other", "hooks:conversation", "hooks:gate"]);
    let error = bench
        .activate(bench.write("p", &undeclared, &[("index.ts", MODULE)]))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("registerRoute: “in/hook” is not in the manifest's contributes.routes"),
        "{error}"
    );
    let candidate = bench.write("p", &with_route("p"), &[("index.ts", MODULE)]);
    let ungranted = bench.host.activate(candidate, json!({}), vec![], Default::default()).await;
    let error = ungranted.unwrap_err().to_string();
    assert!(error.contains("the capability “route:in/hook” has not been granted"), "{error}");
    for (change, words) in [
        ("path: 'in/hook'|path: '../x'", "contributes.routes"),
        ("['POST', 'PUT']|['TRACE']", "methods: must be some of"),
        ("async verify|async later", "`verify` must be a function"),
    ] {
        let (from, to) = change.split_once('|').unwrap();
        let broken = MODULE.replacen(from, to, 1);
        let error = bench
            .activate(bench.write("p", &with_route("p"), &[("index.ts", &broken)]))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{change}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_is_down_is_said_to_be_down() {
    let bench = Bench::with(kata_plugins::HostOptions {
        policy: kata_core::lifecycle::Policy {
            first_delay_ms: 60_000,
            ..quick().policy
        },
        ..quick()
    });
    let module = MODULE.replace(
        "if (request.headers['x-throw'])",
        "if (request.headers['x-loop']) for (;;); if (request.headers['x-throw'])",
    );
    bench
        .activate(bench.write("p", &with_route("p"), &[("index.ts", &module)]))
        .await
        .unwrap();
    let looped = bench.host.serve(request(b"x", &[("x-loop", "1")])).await;
    assert_eq!(looped, Err(RouteRefusal::Down), "it ended during the request");
    assert_eq!(bench.host.serve(signed(b"x")).await, Err(RouteRefusal::Down), "and is not back yet");
}
