//! The sandbox exchange as a process of its own, ended by its handle.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::config::own_program;

use super::problem::{DemoResult, wrong};

/// A running sandbox exchange; it ends when this is dropped.
pub struct Exchange {
    child: Child,
    pub url: String,
    /// The platform's token.
    pub bridge_token: String,
    /// The buyer's token.
    pub buyer_token: String,
}

/// What the exchange calls the platform and the buyer.
const BRIDGE: &str = "bridge";
pub const BUYER: &str = "demo-buyer";

impl Exchange {
    /// Starts `tanpuhui exchange-sandbox` on a free port, with its journal in `dir`.
    ///
    /// # Errors
    /// It does not start, or ends before it listens.
    pub fn start(dir: &Path) -> DemoResult<Exchange> {
        let bridge_token = hex::encode(super::random::<16>());
        let buyer_token = hex::encode(super::random::<16>());
        let tokens = format!("{BRIDGE}={bridge_token},{BUYER}={buyer_token}");
        let mut child = Command::new(own_program()?)
            .args([
                "exchange-sandbox",
                "--until-stdin-ends",
                "--port",
                "0",
                "--dir",
            ])
            .arg(dir)
            .env("EXCHANGE_SANDBOX_TOKENS", tokens)
            // Held open by the child's handle; it ends with this process, however that ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let output = child.stdout.take();
        let mut exchange = Exchange {
            child,
            url: String::new(),
            bridge_token,
            buyer_token,
        };
        let mut line = String::new();
        if let Some(output) = output {
            BufReader::new(output).read_line(&mut line)?;
        }
        let url = line.trim().strip_prefix("listening on ");
        exchange.url = url
            .ok_or_else(|| wrong("the sandbox exchange did not start"))?
            .to_owned();
        Ok(exchange)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // It may have ended by itself: on Ctrl-C a terminal tells it too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
