//! A partner's server on loopback that does what a story tells it, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Path and query.
    pub(crate) target: String,
    pub(crate) fields: BTreeMap<String, String>,
}

impl Asked {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// What the story answers.
pub(crate) enum Reply {
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// So many bytes are promised, these are sent, and the connection is gone.
    Cut(u64, Vec<u8>),
}

pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Reply {
    Reply::Whole(200, Vec::new(), body.into())
}

pub(crate) fn status(status: u16) -> Reply {
    Reply::Whole(status, Vec::new(), Vec::new())
}

pub(crate) struct Source {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Source {
    /// `answer` hears which request it is, from 0.
    pub(crate) fn start(answer: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Source {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (remembered, answer) = (Arc::clone(&asked), Arc::new(answer));
        let (ready, started) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let serve = async move {
                let server = HttpServer::new(move || {
                    let (asked, answer) = (Arc::clone(&remembered), Arc::clone(&answer));
                    let handle = move |request: HttpRequest| {
                        let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                        async move { respond(&request, &asked, answer).await }
                    };
                    App::new().default_service(web::to(handle))
                });
                let server = server
                    .workers(2)
                    .disable_signals()
                    .listen(listener)
                    .expect("it listens")
                    .run();
                ready.send(server.handle()).expect("somebody waits");
                server.await.expect("it serves");
            };
            actix_web::rt::System::new().block_on(serve);
        });
        Source {
            url,
            asked,
            handle: started.recv().expect("it starts"),
            thread: Some(thread),
        }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("a list").clone()
    }

    /// Path and query of each request.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.target).collect()
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it ends");
        }
    }
}

async fn respond<F>(
    request: &HttpRequest,
    asked: &Mutex<Vec<Asked>>,
    answer: Arc<F>,
) -> HttpResponse
where
    F: Fn(usize, &Asked) -> Reply + Send + Sync + 'static,
{
    let text = |value: &actix_web::http::header::HeaderValue| {
        value.to_str().expect("visible ASCII").to_owned()
    };
    let fields = request.headers().iter();
    let one = Asked {
        target: request.uri().to_string(),
        fields: fields.map(|(k, v)| (k.to_string(), text(v))).collect(),
    };
    let number = {
        let mut asked = asked.lock().expect("a list");
        asked.push(one.clone());
        asked.len() - 1
    };
    // A story may make a request wait.
    let reply = web::block(move || answer(number, &one))
        .await
        .expect("a reply");
    match reply {
        Reply::Whole(status, fields, body) => {
            let mut response = HttpResponse::build(StatusCode::from_u16(status).expect("a status"));
            for field in fields {
                response.insert_header(field);
            }
            response.body(body)
        }
        Reply::Cut(promised, body) => {
            let gone = std::io::Error::other("the cable");
            let pieces = [Ok(web::Bytes::from(body)), Err(gone)];
            HttpResponse::Ok()
                .no_chunking(promised)
                .streaming(futures_util::stream::iter(pieces))
        }
    }
}
