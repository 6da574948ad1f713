//! A plain load generator: keep-alive connections on loopback, requests made and signed before
//! the clock starts, a bounded number of them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::domain::party::content_digest::ContentDigest;
use crate::domain::party::http_signature::{Component, FieldList, Policy, Request, Signing, sign};
use crate::domain::party::key::SignKey;
use crate::server::Running;

use super::town::{KEY_ID, SCENE, SECRET, TOKENS, Town, now, token};

use super::Failure;

/// Posts `records` in batches; `writers` connections.
pub(super) fn batches(
    server: &Running,
    town: &Town,
    records: usize,
    batch: usize,
    writers: usize,
) -> Result<Duration, Failure> {
    let address = address(server);
    let requests: Vec<Vec<u8>> = (0..records / batch)
        .map(|_| {
            let trips: Vec<String> = town.next_trips(batch).map(|trip| town.trip(trip)).collect();
            signed(&address, format!("[{}]", trips.join(",")).as_bytes())
        })
        .collect();
    let accepted = format!("\"accepted\":{batch},");
    drive(&address, requests, writers, &move |body| {
        contains(body, accepted.as_bytes())
    })
}

/// Posts one record a request.
pub(super) fn single_posts(
    server: &Running,
    town: &Town,
    records: usize,
    connections: usize,
) -> Result<Duration, Failure> {
    let address = address(server);
    let requests: Vec<Vec<u8>> = town
        .next_trips(records)
        .map(|trip| signed(&address, format!("[{}]", town.trip(trip)).as_bytes()))
        .collect();
    drive(&address, requests, connections, &|body| {
        contains(body, b"\"accepted\":1,")
    })
}

/// Reads balances, each citizen in turn.
pub(super) fn balances(
    server: &Running,
    _town: &Town,
    reads: usize,
    connections: usize,
) -> Result<Duration, Failure> {
    let address = address(server);
    let requests = (0..reads)
        .map(|at| {
            let token = token(at % TOKENS);
            format!(
                "GET /api/citizen/balance HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
                token.reveal()
            )
            .into_bytes()
        })
        .collect();
    drive(&address, requests, connections, &|body| {
        contains(body, b"available")
    })
}

/// Redeems one point for one voucher, each citizen in turn.
pub(super) fn redemptions(
    server: &Running,
    town: &Town,
    count: usize,
    connections: usize,
) -> Result<Duration, Failure> {
    let address = address(server);
    let requests = (0..count)
        .map(|at| {
            let (token, offer) = (token(at % TOKENS), town.offers[at % town.offers.len()]);
            let body = format!("{{\"offer\":\"{offer}\"}}");
            format!(
                "POST /api/citizen/vouchers HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
                 Idempotency-Key: bench-{connections}-{at}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                token.reveal(),
                body.len()
            )
            .into_bytes()
        })
        .collect();
    drive(&address, requests, connections, &|body| {
        contains(body, b"\"code\"")
    })
}

fn address(server: &Running) -> String {
    server.base_url.trim_start_matches("http://").to_owned()
}

/// One signed POST as it goes over the wire.
fn signed(address: &str, body: &[u8]) -> Vec<u8> {
    let key = SignKey::hmac_sha256(&base64_of(&SECRET)).expect("the bench's key is a key");
    let path = format!("/api/partner/scenes/{SCENE}/behaviours");
    let digest = ContentDigest::sha256(body).field();
    let mut random = [0; 16];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let nonce = hex::encode(random);
    let fields = [
        ("content-type", "application/json"),
        ("content-digest", digest.as_str()),
    ];
    let request = Request {
        method: "POST",
        scheme: "http",
        authority: address,
        path: &path,
        query: None,
        fields: &FieldList(&fields),
    };
    let components: Vec<Component<'_>> = Policy::PARTNER.components(false, true).collect();
    let signing = Signing::new(KEY_ID, &components, now(), &nonce);
    let signature = sign(&request, &signing, &key).expect("the bench signs");
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Digest: {digest}\r\nSignature-Input: {}\r\nSignature: {}\r\n\
         Content-Length: {}\r\n\r\n",
        signature.signature_input,
        signature.signature,
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Sends every request once, spread over the connections, and checks each answer.
fn drive(
    address: &str,
    requests: Vec<Vec<u8>>,
    connections: usize,
    good: &(impl Fn(&[u8]) -> bool + Sync),
) -> Result<Duration, Failure> {
    let shares: Vec<Vec<&[u8]>> = (0..connections)
        .map(|at| {
            requests
                .iter()
                .skip(at)
                .step_by(connections)
                .map(Vec::as_slice)
                .collect()
        })
        .collect();
    let streams: Vec<TcpStream> = shares
        .iter()
        .map(|_| {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
        .collect::<std::io::Result<_>>()?;
    let began = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = streams
            .into_iter()
            .zip(&shares)
            .map(|(stream, share)| {
                std::thread::Builder::new()
                    .stack_size(256 << 10)
                    .spawn_scoped(scope, move || converse(stream, share, good))
                    .expect("the operating system gives a thread")
            })
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("a client panicked".into()))
        })
    })?;
    Ok(began.elapsed())
}

fn converse(
    stream: TcpStream,
    requests: &[&[u8]],
    good: &(impl Fn(&[u8]) -> bool + Sync),
) -> Result<(), Failure> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    let mut body = Vec::new();
    for request in requests {
        writer.write_all(request)?;
        let status = answer(&mut reader, &mut body)?;
        if !(200..300).contains(&status) || !good(&body) {
            let text = String::from_utf8_lossy(&body);
            return Err(format!(
                "answer {status}: {}",
                text.chars().take(400).collect::<String>()
            )
            .into());
        }
    }
    Ok(())
}

/// Reads one answer with a length; the server states one for every body of this bench.
fn answer(reader: &mut impl BufRead, body: &mut Vec<u8>) -> Result<u16, Failure> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status: u16 = line.split(' ').nth(1).ok_or("no status")?.parse()?;
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let field = line.trim_end();
        if field.is_empty() {
            break;
        }
        if let Some((name, value)) = field.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    body.resize(length, 0);
    reader.read_exact(body)?;
    Ok(status)
}

fn contains(body: &[u8], needle: &[u8]) -> bool {
    body.windows(needle.len())
        .take(4_096)
        .any(|window| window == needle)
}
