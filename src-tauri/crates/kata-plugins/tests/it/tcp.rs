//! TCP at the boundary: what a plugin reads and writes, where it may go, what TLS trusts, and what a hostile other side can do.

use crate::support::*;
use kata_plugins::{HostOptions, NetworkPolicy};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

/// A CA of these tests, a certificate it made for `mail.in.localhost` and 127.0.0.1, and its key.
const CA: &[u8] = include_bytes!("../fixtures/tls/ca.der");
const CERTIFICATE: &[u8] = include_bytes!("../fixtures/tls/server.der");
const KEY: &[u8] = include_bytes!("../fixtures/tls/server.key.der");

fn acceptor() -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(CERTIFICATE)],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY)),
        );
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

/// Answers lines in capitals. `bye` makes it say so and end; `flood` makes it write 20 MB. Tells of each end.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(stream: S, told: &mpsc::Sender<String>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    loop {
        line.clear();
        match stream.read_line(&mut line).await {
            Ok(0) | Err(_) => break,
            Ok(_) if line == "bye\n" => {
                let _ = stream.write_all(b"BYE\n").await;
                let _ = stream.shutdown().await;
                break;
            }
            Ok(_) if line == "flood\n" => {
                let piece: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
                for done in 0..20 {
                    if stream.write_all(&piece).await.is_err() {
                        break;
                    }
                    let _ = told.try_send(format!("flooded {done}"));
                }
            }
            Ok(_) => {
                if stream.write_all(line.to_uppercase().as_bytes()).await.is_err() {
                    break;
                }
                let _ = stream.flush().await;
            }
        }
    }
    let _ = told.send("ended".into()).await;
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Tls,
    StartTls,
    /// Accepts, reads nothing, says nothing.
    Deaf,
}

async fn server(kind: Kind) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, ends) = mpsc::channel(256);
    let tls = acceptor();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (told, tls) = (told.clone(), tls.clone());
            tokio::spawn(async move {
                told.send("opened".into()).await.unwrap();
                match kind {
                    Kind::Plain => talk(stream, &told).await,
                    Kind::Deaf => std::future::pending().await,
                    Kind::Tls => match tls.accept(stream).await {
                        Ok(stream) => talk(stream, &told).await,
                        Err(_) => told.send("ended".into()).await.unwrap(),
                    },
                    Kind::StartTls => {
                        let mut asked = [0; 9];
                        stream.read_exact(&mut asked).await.unwrap();
                        assert_eq!(&asked, b"STARTTLS\n");
                        stream.write_all(b"GO\n").await.unwrap();
                        match tls.accept(stream).await {
                            Ok(stream) => talk(stream, &told).await,
                            Err(_) => told.send("ended".into()).await.unwrap(),
                        }
                    }
                }
            });
        }
    });
    (port, ends)
}

fn with(id: &str, capabilities: &[String]) -> Value {
    let mut manifest = manifest(id);
    let list = manifest["capabilities"].as_array_mut().unwrap();
    list.extend(capabilities.iter().map(|c| json!(c)));
    manifest
}

/// What a body may use: `say` writes a text and `hear` reads until a line has come.
const MODULE: &str = "import { connect } from '@kata-agents/plugin-sdk';\n\
  const enc = new TextEncoder(); const dec = new TextDecoder();\n\
  const say = async (s, text) => { const w = s.writable.getWriter(); await w.write(enc.encode(text)); w.releaseLock(); };\n\
  const hear = async (s) => { const r = s.readable.getReader(); let all = ''; while (!all.includes('\\n')) { const { value, done } = await r.read(); if (done) { all += '|end'; break; } all += dec.decode(value); } r.releaseLock(); return all; };\n";

fn module(id: &str, body: &str) -> String {
    format!(
        "{MODULE}export default (api) => api.registerTool({{ name: '{id}', description: '', parameters: {{}}, async execute(args, ctx) {{\n\
         const to = {{ hostname: args.host ?? '127.0.0.1', port: args.port }};\n\
         try {{ {body} }} catch (e) {{ return `${{e.name}}|${{e.code}}|${{e.message}}`; }} }} }});"
    )
}

async fn ready(bench: &Bench, capabilities: &[String], body: &str) {
    let candidate = bench.write("s", &with("s", capabilities), &[("index.ts", &module("s", body))]);
    bench.activate(candidate).await.unwrap();
}

fn trusting() -> HostOptions {
    HostOptions {
        extra_roots: vec![CA.to_vec()],
        ..quick()
    }
}

async fn told(ends: &mut mpsc::Receiver<String>, what: &str) {
    loop {
        let said = tokio::time::timeout(Duration::from_secs(60), ends.recv()).await;
        if said.unwrap_or_else(|_| panic!("{what} within a minute")).unwrap() == what {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_talks_in_bytes_and_ends_from_either_side() {
    let bench = Bench::new();
    let (port, mut ends) = server(Kind::Plain).await;
    let body = "const s = connect(to); await s.opened; await say(s, 'grüße\\n'); const first = await hear(s);\n\
      if (args.bye) { await say(s, 'bye\\n'); const last = await hear(s); const end = await hear(s); await s.closed; return JSON.stringify([first, last, end]); }\n\
      await s.close(); await s.closed; let late = ''; try { await say(s, 'x'); } catch (e) { late = e.name; } return JSON.stringify([first, late, await hear(s)]);";
    ready(&bench, &[format!("tcp:127.0.0.1:{port}")], body).await;
    let said = bench.tool("s", json!({ "port": port })).await.text;
    assert_eq!(said, r#"["GRÜSSE\n","TypeError","|end"]"#);
    told(&mut ends, "ended").await;
    let said = bench.tool("s", json!({ "port": port, "bye": true })).await.text;
    assert_eq!(said, r#"["GRÜSSE\n","BYE\n","|end"]"#);
    told(&mut ends, "ended").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_goes_only_where_it_was_granted_and_a_name_that_means_this_machine_only_where_it_was_typed_in() {
    let bench = Bench::new();
    let (port, _ends) = server(Kind::Plain).await;
    let body = "const s = connect(to, args.how); await s.opened; await say(s, 'hello\\n'); const heard = await hear(s); await s.close(); return heard;";
    let capabilities = [format!("tcp:*.in.localhost:{port}"), format!("net:127.0.0.1:{port}")];
    let candidate = bench.write("s", &with("s", &capabilities), &[("index.ts", &module("s", body))]);
    bench.activate(candidate.clone()).await.unwrap();
    for (host, words) in [
        (
            "127.0.0.1",
            format!("Error|forbidden|connect: 127.0.0.1: the manifest does not list the capability “tcp:127.0.0.1:{port}”"),
        ),
        (
            "mail.in.localhost",
            "mail.in.localhost is an address of this machine or network".into(),
        ),
        ("localhost", format!("does not list the capability “tcp:localhost:{port}”")),
        (
            "http://127.0.0.1",
            "Error|forbidden|connect: a host and a port from 1 to 65535 are needed".into(),
        ),
    ] {
        let said = bench.tool("s", json!({ "host": host, "port": port })).await.text;
        assert!(said.contains(&words), "{host}: {said}");
    }
    let bad = bench.tool("s", json!({ "port": 70_000 })).await.text;
    assert!(bad.starts_with("TypeError|undefined|connect: the address needs"), "{bad}");
    let bad = bench
        .tool("s", json!({ "port": port, "how": { "secureTransport": "maybe" } }))
        .await
        .text;
    assert!(bad.contains("one of off, on, starttls"), "{bad}");

    // As the person's own setting says it.
    let policy = NetworkPolicy {
        extra_hosts: vec![format!("tcp:127.0.0.1:{port}")],
    };
    bench
        .host
        .activate(candidate, json!({}), capabilities.to_vec(), policy)
        .await
        .unwrap();
    assert_eq!(bench.tool("s", json!({ "port": port })).await.text, "HELLO\n");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let said = bench.tool("s", json!({ "port": closed })).await.text;
    assert!(said.contains("forbidden"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_listening_is_told_as_such_because_nothing_has_left() {
    let bench = Bench::new();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let body = "const s = connect(to); const read = s.readable.getReader().read().catch((e) => e.code); try { await s.opened; } catch (e) { await s.closed; return `${e.code} ${await read}`; }";
    ready(&bench, &[format!("tcp:127.0.0.1:{port}")], body).await;
    assert_eq!(bench.tool("s", json!({ "port": port })).await.text, "connect connect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_trusted_by_the_roots_and_the_name_and_not_otherwise() {
    let body = "const s = connect(to, { secureTransport: 'on' }); await s.opened; await say(s, 'hello\\n'); const heard = await hear(s); await s.close(); return heard;";
    let (port, mut ends) = server(Kind::Tls).await;
    let capabilities = [format!("tcp:127.0.0.1:{port}"), format!("tcp:localhost:{port}")];
    let bench = Bench::with(trusting());
    ready(&bench, &capabilities, body).await;
    assert_eq!(bench.tool("s", json!({ "port": port })).await.text, "HELLO\n");
    told(&mut ends, "ended").await;
    let other = bench.tool("s", json!({ "host": "localhost", "port": port })).await.text;
    assert!(
        other.starts_with("Error|tls|connect: localhost: TLS:") && other.contains("not valid for name"),
        "{other}"
    );

    let strict = Bench::new();
    ready(&strict, &capabilities, body).await;
    let said = strict.tool("s", json!({ "port": port })).await.text;
    assert!(
        said.starts_with("Error|tls|connect: 127.0.0.1: TLS:") && said.contains("UnknownIssuer"),
        "{said}"
    );
    let (plain, _ends) = server(Kind::Deaf).await;
    let quick = Bench::with(HostOptions {
        fetch_timeout: Duration::from_millis(300),
        ..trusting()
    });
    ready(&quick, &[format!("tcp:127.0.0.1:{plain}")], body).await;
    let said = quick.tool("s", json!({ "port": plain })).await.text;
    assert!(
        said.starts_with("Error|timeout|"),
        "a server that does not answer the handshake: {said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_begins_on_a_plain_connection_once_and_the_old_streams_end() {
    let bench = Bench::with(trusting());
    let (port, mut ends) = server(Kind::StartTls).await;
    let body = "const plain = connect(to, { secureTransport: args.how ?? 'starttls' }); await say(plain, 'STARTTLS\\n'); const go = await hear(plain);\n\
      const pending = plain.readable.getReader().read(); const s = plain.startTls(); await s.opened; const old = await pending; await plain.closed;\n\
      let twice = ''; try { plain.startTls(); } catch (e) { twice = e.name; } try { s.startTls(); } catch (e) { twice += e.name; }\n\
      let late = ''; try { await say(plain, 'in the clear'); } catch (e) { late = e.code; }\n\
      await say(s, 'hello\\n'); const heard = await hear(s); await s.close(); return JSON.stringify([go, heard, old.done, twice, late]);";
    ready(&bench, &[format!("tcp:127.0.0.1:{port}")], body).await;
    let said = bench.tool("s", json!({ "port": port })).await.text;
    assert_eq!(said, r#"["GO\n","HELLO\n",true,"TypeErrorTypeError","closed"]"#);
    told(&mut ends, "ended").await;
    let said = bench.tool("s", json!({ "port": port, "how": "off" })).await.text;
    assert!(said.starts_with("TypeError|undefined|startTls: only once"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_waits_with_its_sender_and_every_byte_comes_in_order() {
    let bench = Bench::new();
    let (port, mut ends) = server(Kind::Plain).await;
    let body = "const s = connect(to); await say(s, 'flood\\n'); const r = s.readable.getReader(); await r.read(); globalThis.kept = [s, r]; return 'rests';";
    ready(&bench, &[format!("tcp:127.0.0.1:{port}")], body).await;
    assert_eq!(bench.tool("s", json!({ "port": port })).await.text, "rests");
    // The plugin reads no more: the other side stands still, long before its 20 MB are out.
    let mut last = 0;
    while let Ok(Some(said)) = tokio::time::timeout(Duration::from_millis(700), ends.recv()).await {
        if let Some(n) = said.strip_prefix("flooded ") {
            last = n.parse().unwrap();
        }
    }
    assert!(last < 15, "the host took {last} MB that nobody asked for");
    let usage = bench.host.usage(&id("s")).unwrap();
    assert!(usage.memory_bytes.0 < 8 << 20, "{}", usage.memory_bytes.0);

    let count = "const s = connect(to); await say(s, 'flood\\n'); let bytes = 0, good = true;\n\
      for await (const piece of s.readable) { if (piece.length > 65536) good = false; for (let i = 0; i < piece.length; i += 4099) good &&= piece[i] === ((bytes + i) & 255); bytes += piece.length; if (bytes >= 20 << 20) break; }\n\
      return JSON.stringify([bytes, good]);";
    ready(&bench, &[format!("tcp:127.0.0.1:{port}")], count).await;
    assert_eq!(bench.tool("s", json!({ "port": port })).await.text, format!("[{},true]", 20 << 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_takes_nothing_holds_the_write_up_and_is_given_up_in_the_end() {
    let bench = Bench::with(HostOptions {
        fetch_timeout: Duration::from_millis(500),
        ..quick()
    });
    let (port, _ends) = server(Kind::Deaf).await;
    let body = "const s = connect(to); await s.opened; const w = s.writable.getWriter(); const piece = new Uint8Array(1 << 20); let sent = 0;\n\
      try { for (let i = 0; i < 64; i++) { await w.write(piece); sent++; } } catch (e) { return `${e.code} ${sent < 64}`; } return 'all of it';";
    ready(&bench, &[format!("tcp:127.0.0.1:{port}")], body).await;
    assert_eq!(bench.tool("s", json!({ "port": port })).await.text, "timeout true");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection_is_left_by_closing_it_and_nothing_waits_any_more() {
    let bench = Bench::new();
    let (port, _ends) = server(Kind::Deaf).await;
    let body = "const s = connect(to); await s.opened; const read = s.readable.getReader().read().then((r) => `done ${r.done}`, (e) => e.code);\n\
      const late = await Promise.race([read, new Promise((r) => setTimeout(r, 200, 'nothing'))]); await s.close(); return JSON.stringify([late, await read]);";
    ready(&bench, &[format!("tcp:127.0.0.1:{port}")], body).await;
    assert_eq!(bench.tool("s", json!({ "port": port })).await.text, r#"["nothing","done true"]"#);
    // The last one is taken down behind its `close`.
    let gone = async {
        while bench
            .host
            .usage(&id("s"))
            .is_some_and(|usage| (usage.sockets, usage.calls_in_flight) != (0, 0))
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .expect("nothing is open or waits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ninth_connection_is_refused_and_one_that_was_closed_makes_room() {
    let bench = Bench::new();
    let (port, _ends) = server(Kind::Deaf).await;
    let body = "globalThis.kept ??= []; if (args.drop) { await kept.pop().close(); return ''; } if (!args.port) return '';\n\
      const said = []; for (let i = 0; i < args.times; i++) { const s = connect(to); try { await s.opened; kept.push(s); said.push('open'); } catch (e) { said.push(`${e.code}: ${e.message}`); } } return said.at(-1);";
    ready(&bench, &[format!("tcp:127.0.0.1:{port}")], body).await;
    let said = bench.tool("s", json!({ "port": port, "times": 9 })).await.text;
    assert_eq!(said, "connect: connect: 8 sockets are open already");
    bench.tool("s", json!({})).await;
    let usage = bench.host.usage(&id("s")).unwrap();
    assert_eq!((usage.sockets, usage.calls_in_flight, usage.requests_last_minute), (8, 0, 9));
    bench.tool("s", json!({ "drop": true })).await;
    assert_eq!(bench.tool("s", json!({ "port": port, "times": 1 })).await.text, "open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_keeps_no_connection_after_it_was_disposed_or_its_capability_taken_back() {
    let bench = Bench::new();
    let (port, mut ends) = server(Kind::Plain).await;
    let body = "if (args.port) { globalThis.s = connect(to); await s.opened; globalThis.read = s.readable.getReader().read().catch((e) => `${e.code} ${e.message}`); return 'open'; }\n\
      await s.closed; return await read;";
    let capability = format!("tcp:127.0.0.1:{port}");
    let candidate = bench.write(
        "s",
        &with("s", std::slice::from_ref(&capability)),
        &[("index.ts", &module("s", body))],
    );
    bench.activate(candidate.clone()).await.unwrap();
    assert_eq!(bench.tool("s", json!({ "port": port })).await.text, "open");
    told(&mut ends, "opened").await;
    bench.activate(candidate).await.unwrap();
    told(&mut ends, "ended").await;

    assert_eq!(bench.tool("s", json!({ "port": port })).await.text, "open");
    told(&mut ends, "opened").await;
    bench.host.revoke(&id("s"), &capability);
    told(&mut ends, "ended").await;
    let said = bench.tool("s", json!({})).await.text;
    assert!(said.starts_with("forbidden ") && said.contains("has not been granted"), "{said}");
    let again = bench.tool("s", json!({ "port": port })).await.text;
    assert!(again.starts_with("Error|forbidden|"), "{again}");
}
