//! The bridge to the exchange: listed once whatever is lost on the way, title moved once whatever is
//! read again. The exchange is the real one: a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tanpuhui::config::Clock;
use tanpuhui::domain::market::{Listing, ListingState, Price, Trade};
use tanpuhui::domain::unit::{Fen, Tonnes};
use tanpuhui::flow::list_on_market::{list_on_market, order_accepted, unlist};
use tanpuhui::flow::settle_trade::{Outcome, resolve_incident, settle_trade};
use tanpuhui::flow::{FlowError, FlowResult, Part};
use tanpuhui::gateway::ExchangeClient;
use tanpuhui::jobs::deliver_outbox::{Delivered, Gateways, deliver_due};
use tanpuhui::jobs::reconcile_market::{Reconciled, reconcile};
use tanpuhui::store::outbox::{claim_due, waiting};
use tanpuhui::store::{Pool, StoreError, market};
use uuid::Uuid;

use crate::registry::{act, assert_books_agree, blocks, by, holder, issued};
use crate::world::noon;

const BUREAU: u128 = 0xb3;

/// The sandbox exchange, running in its own process; killed when dropped.
pub(crate) struct Sandbox {
    child: Child,
    pub(crate) url: String,
}

impl Sandbox {
    pub(crate) fn start(dir: &Path, fault: Option<&str>) -> Sandbox {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tanpuhui"));
        command
            .args(["exchange-sandbox", "--port", "0", "--last-close", "45.00"])
            .args(["--token", "bridge=b,buyer-1=c,operator=o", "--dir"])
            .arg(dir);
        if let Some(fault) = fault {
            command.args(["--fault", fault]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where it listens");
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .expect("it listens")
            .to_owned();
        Sandbox { child, url }
    }

    fn client(&self) -> ExchangeClient {
        ExchangeClient::new(&self.url, "b".into()).expect("a client")
    }

    fn gateways(&self) -> Gateways {
        Gateways {
            exchange: Some(self.client()),
        }
    }

    /// A request of the member with this token: status and body.
    fn ask(&self, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask_with(token, method, path, body, None)
    }

    fn ask_with(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
        key: Option<&str>,
    ) -> (u16, Value) {
        request(&format!("{}{path}", self.url), token, method, &body, key)
    }

    pub(crate) fn click(&self, order: &str, tonnes: i64) -> (u16, Value) {
        self.ask(
            "c",
            "POST",
            &format!("/orders/{order}/click"),
            json!({ "quantity": tonnes }),
        )
    }

    pub(crate) fn orders(&self) -> Vec<Value> {
        let (_, book) = self.ask("b", "GET", "/book", Value::Null);
        book["offers"].as_array().cloned().unwrap_or_default()
    }

    fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request with a bearer token: status and body.
pub(crate) fn request(
    url: &str,
    token: &str,
    method: &str,
    body: &Value,
    key: Option<&str>,
) -> (u16, Value) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let method = method.parse().expect("a method");
    let mut request = reqwest::Client::new()
        .request(method, url)
        .bearer_auth(token);
    if !body.is_null() {
        request = request.json(body);
    }
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    now(async {
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    })
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(future)
}

fn clock() -> Clock {
    Clock::fixed(noon() + TimeDelta::days(41))
}

fn deliver(pool: &Pool, clock: &Clock, gateways: &Gateways) -> Delivered {
    now(deliver_due(pool, clock, gateways)).expect("the outbox is read")
}

fn read_report(pool: &Pool, exchange: &Sandbox) -> Reconciled {
    now(reconcile(pool, &clock(), &exchange.client())).expect("the report is read")
}

fn list(pool: &Pool, owner: Uuid, block: Uuid, tonnes: i64, price: &str) -> Listing {
    let part = Part {
        block,
        holder: owner,
        quantity: Tonnes(tonnes),
    };
    let price = Price::parse(price).unwrap();
    act(pool, BUREAU, |tx, ctx| {
        list_on_market(tx, ctx, &part, price)
    })
    .unwrap()
}

fn listing(pool: &Pool, id: Uuid) -> Listing {
    pool.read_now(|conn| market::listing(conn, id))
        .unwrap()
        .unwrap()
}

fn settle(pool: &Pool, trade: &Trade) -> FlowResult<Outcome> {
    act(pool, BUREAU, |tx, ctx| settle_trade(tx, ctx, trade))
}

fn tonnes_of(pool: &Pool, holder: Uuid, state: &str) -> i64 {
    blocks(pool, holder)
        .iter()
        .filter(|b| b.3 == state)
        .map(|b| b.2 - b.1 + 1)
        .sum()
}

fn a_trade(listing: &Listing, seq: i64, tonnes: i64, buyer: &str) -> Trade {
    Trade {
        id: format!("T-{seq}"),
        seq,
        order_id: "O-1".into(),
        listing: Some(listing.id),
        buyer: buyer.into(),
        quantity: Tonnes(tonnes),
        price: listing.price,
        at: noon(),
    }
}

on_both! {
    fn part_is_listed_sold_in_pieces_and_the_rest_comes_back(pool: Pool) {
        let dir = tempfile::tempdir().unwrap();
        let exchange = Sandbox::start(dir.path(), None);
        let (owner, block) = issued(&pool, 20);
        let buyer = holder(&pool, "B", Some("buyer-1"));
        let listed = list(&pool, owner, block, 10, "46.50");
        assert_eq!(tonnes_of(&pool, owner, "listed"), 10);
        assert_books_agree(&pool);
        assert_eq!(deliver(&pool, &clock(), &exchange.gateways()), Delivered { done: 1, retried: 0 });
        assert_eq!(deliver(&pool, &clock(), &exchange.gateways()), Delivered::default());
        let order = listing(&pool, listed.id).order_id.unwrap();
        assert_eq!(exchange.orders()[0], json!({ "order_id": order, "quantity": 10, "price": "46.50" }));

        assert_eq!(exchange.click(&order, 4).0, 200);
        assert_eq!(exchange.click(&order, 3).0, 200);
        assert_eq!(exchange.click(&order, 4).0, 422, "only three are left");
        assert_eq!(read_report(&pool, &exchange), Reconciled { settled: 2, ..Reconciled::default() });
        assert_eq!(read_report(&pool, &exchange), Reconciled::default());
        assert_eq!(tonnes_of(&pool, buyer, "held"), 7);
        assert_eq!(listing(&pool, listed.id).proceeds, Fen(7 * 4_650));

        act(&pool, BUREAU, |tx, ctx| unlist(tx, ctx, listed.id, owner)).unwrap();
        // A click before the order is out of the book still counts.
        assert_eq!(exchange.click(&order, 1).0, 200);
        assert_eq!(deliver(&pool, &clock(), &exchange.gateways()).done, 1);
        assert_eq!((tonnes_of(&pool, owner, "held"), tonnes_of(&pool, owner, "listed")), (12, 1));
        assert_eq!(exchange.click(&order, 1).0, 422);
        assert_eq!(read_report(&pool, &exchange).settled, 1);
        assert_eq!(listing(&pool, listed.id).state, ListingState::Closed);
        assert_eq!((tonnes_of(&pool, owner, "held"), tonnes_of(&pool, buyer, "held")), (12, 8));
        assert_books_agree(&pool);
    }

    fn an_exchange_that_dies_before_it_answers_sells_once(pool: Pool) {
        let dir = tempfile::tempdir().unwrap();
        let (owner, block) = issued(&pool, 20);
        let listed = list(&pool, owner, block, 10, "45.00");
        let clock = clock();
        // The order is in its journal, the process is gone.
        let dying = Sandbox::start(dir.path(), Some("die-after-accept"));
        assert_eq!(deliver(&pool, &clock, &dying.gateways()), Delivered { done: 0, retried: 1 });
        assert_eq!(listing(&pool, listed.id).state, ListingState::Pending);
        drop(dying);
        // It is back, and the next answer is cut off in the middle as well: of an order it knows.
        let back = Sandbox::start(dir.path(), Some("drop-response-once"));
        assert_eq!(back.orders().len(), 1);
        assert_eq!(deliver(&pool, &clock, &back.gateways()), Delivered::default(), "it waits");
        clock.advance(TimeDelta::seconds(3));
        assert_eq!(deliver(&pool, &clock, &back.gateways()), Delivered { done: 1, retried: 0 });
        assert_eq!(back.orders().len(), 1);
        assert_eq!(listing(&pool, listed.id).state, ListingState::Open);
        assert_books_agree(&pool);
    }

    fn an_answer_that_is_cut_off_sells_once(pool: Pool) {
        let dir = tempfile::tempdir().unwrap();
        let (owner, block) = issued(&pool, 20);
        let listed = list(&pool, owner, block, 10, "45.00");
        let clock = clock();
        let exchange = Sandbox::start(dir.path(), Some("drop-response-once"));
        assert_eq!(deliver(&pool, &clock, &exchange.gateways()), Delivered { done: 0, retried: 1 });
        // Somebody buys before we even know that we are listed; the trade says so first.
        let buyer = holder(&pool, "B", Some("buyer-1"));
        let order = exchange.orders()[0]["order_id"].as_str().unwrap().to_owned();
        assert_eq!(exchange.click(&order, 2).0, 200);
        assert_eq!(read_report(&pool, &exchange).settled, 1);
        assert_eq!(listing(&pool, listed.id).state, ListingState::Open);
        clock.advance(TimeDelta::seconds(3));
        assert_eq!(deliver(&pool, &clock, &exchange.gateways()), Delivered { done: 1, retried: 0 });
        assert_eq!(exchange.orders().len(), 1);
        assert_eq!((tonnes_of(&pool, owner, "listed"), tonnes_of(&pool, buyer, "held")), (8, 2));
        assert_books_agree(&pool);
    }

    fn a_worker_that_dies_in_between_is_followed_by_another(pool: Pool) {
        let dir = tempfile::tempdir().unwrap();
        let (owner, block) = issued(&pool, 20);
        let listed = list(&pool, owner, block, 10, "45.00");
        let clock = clock();
        let exchange = Sandbox::start(dir.path(), None);
        // A worker takes the message, places the order, and dies before it writes that down.
        let at = clock.now().into();
        let taken = pool
            .write_now::<_, StoreError>(|tx| claim_due(tx, at, TimeDelta::seconds(120), 8))
            .unwrap();
        assert_eq!(taken.len(), 1);
        let placed = now(exchange.client().place(listed.id, listed.quantity, listed.price)).unwrap();
        assert_eq!(deliver(&pool, &clock, &exchange.gateways()), Delivered::default(), "leased");
        clock.advance(TimeDelta::seconds(121));
        assert_eq!(deliver(&pool, &clock, &exchange.gateways()).done, 1);
        assert_eq!(exchange.orders().len(), 1);
        assert_eq!(listing(&pool, listed.id).order_id, Some(placed.id));
        assert_eq!(pool.read_now(waiting).unwrap(), (0, None));
    }

    fn a_restart_keeps_orders_trades_and_keys(pool: Pool) {
        let dir = tempfile::tempdir().unwrap();
        let (owner, block) = issued(&pool, 20);
        holder(&pool, "B", Some("buyer-1"));
        let listed = list(&pool, owner, block, 10, "45.00");
        let exchange = Sandbox::start(dir.path(), None);
        deliver(&pool, &clock(), &exchange.gateways());
        let order = listing(&pool, listed.id).order_id.unwrap();
        let path = format!("/orders/{order}/click");
        let buy = |exchange: &Sandbox| exchange.ask_with("c", "POST", &path, json!({ "quantity": 2 }), Some("k1"));
        let first = buy(&exchange);
        assert_eq!(buy(&exchange), first, "the same key buys once");
        exchange.kill();
        // A line that was being written when the power went is no order.
        let journal = dir.path().join("journal.jsonl");
        let mut bytes = std::fs::read(&journal).unwrap();
        bytes.extend_from_slice(b"[{\"event\":\"traded\",\"tr");
        std::fs::write(&journal, bytes).unwrap();
        let exchange = Sandbox::start(dir.path(), None);
        assert_eq!(buy(&exchange), first);
        assert_eq!(exchange.orders()[0]["quantity"], 8);
        assert_eq!(read_report(&pool, &exchange).settled, 1);
        assert_eq!(exchange.click(&order, 1).0, 200);
        exchange.kill();
        let exchange = Sandbox::start(dir.path(), None);
        assert_eq!(read_report(&pool, &exchange).settled, 1);
        assert_eq!(listing(&pool, listed.id).filled, Tonnes(3));
        assert_books_agree(&pool);
    }

    fn an_order_that_the_exchange_refuses_comes_back_whole(pool: Pool) {
        let dir = tempfile::tempdir().unwrap();
        let exchange = Sandbox::start(dir.path(), None);
        let (owner, block) = issued(&pool, 20);
        let listed = list(&pool, owner, block, 10, "49.51");
        assert_eq!(deliver(&pool, &clock(), &exchange.gateways()).done, 1);
        let refused = listing(&pool, listed.id);
        assert_eq!(refused.state, ListingState::Refused);
        assert!(refused.refusal.unwrap().contains("price_outside_band"));
        assert_eq!((tonnes_of(&pool, owner, "held"), exchange.orders().len()), (20, 0));
        assert_books_agree(&pool);
    }

    fn without_an_exchange_orders_wait_and_can_be_taken_back(pool: Pool) {
        let dir = tempfile::tempdir().unwrap();
        let (owner, block) = issued(&pool, 20);
        let listed = list(&pool, owner, block, 10, "45.00");
        let clock = clock();
        assert_eq!(deliver(&pool, &clock, &Gateways::default()), Delivered { done: 0, retried: 1 });
        act(&pool, BUREAU, |tx, ctx| unlist(tx, ctx, listed.id, owner)).unwrap();
        let exchange = Sandbox::start(dir.path(), None);
        for _ in 0..3 {
            clock.advance(TimeDelta::seconds(10));
            deliver(&pool, &clock, &exchange.gateways());
        }
        assert_eq!(listing(&pool, listed.id).state, ListingState::Closed);
        assert_eq!((tonnes_of(&pool, owner, "held"), exchange.orders().len()), (20, 0));
        assert_books_agree(&pool);
    }

    fn a_trade_that_does_not_fit_moves_nothing_until_it_is_resolved(pool: Pool) {
        let (owner, block) = issued(&pool, 20);
        let listed = list(&pool, owner, block, 10, "45.00");
        act(&pool, BUREAU, |tx, ctx| order_accepted(tx, ctx, listed.id, "O-1")).unwrap();
        let Outcome::Incident(why) = settle(&pool, &a_trade(&listed, 1, 2, "late")).unwrap() else { panic!() };
        assert!(why.contains("no registry account"), "{why}");
        assert_eq!(listing(&pool, listed.id).state, ListingState::Incident);
        assert_eq!(settle(&pool, &a_trade(&listed, 1, 2, "late")).unwrap(), Outcome::Known);
        // While one trade waits, the next ones of the listing wait too.
        let late = holder(&pool, "B", Some("late"));
        assert!(matches!(settle(&pool, &a_trade(&listed, 2, 3, "late")).unwrap(), Outcome::Incident(_)));
        assert_eq!((tonnes_of(&pool, owner, "listed"), tonnes_of(&pool, late, "held")), (10, 0));
        assert_books_agree(&pool);
        let resolve = |id| act(&pool, BUREAU, |tx, ctx| resolve_incident(tx, ctx, id, "account opened"));
        assert_eq!(resolve("T-1").unwrap(), Outcome::Settled);
        assert_eq!(listing(&pool, listed.id).state, ListingState::Incident);
        assert_eq!(resolve("T-2").unwrap(), Outcome::Settled);
        assert_eq!(resolve("T-2").unwrap(), Outcome::Known);
        assert_eq!(listing(&pool, listed.id).state, ListingState::Open);
        assert_eq!(tonnes_of(&pool, late, "held"), 5);
        // More than is listed, and another story under a known id.
        assert!(matches!(settle(&pool, &a_trade(&listed, 3, 6, "late")).unwrap(), Outcome::Incident(_)));
        assert!(resolve("T-3").is_err());
        let other = Trade { quantity: Tonnes(1), ..a_trade(&listed, 1, 2, "late") };
        assert!(matches!(settle(&pool, &other), Err(FlowError::Refused(_))));
        let nobodys = Trade { listing: Some(Uuid::from_u128(9)), ..a_trade(&listed, 4, 1, "late") };
        assert!(matches!(settle(&pool, &nobodys).unwrap(), Outcome::Incident(_)));
        assert_eq!(settle(&pool, &nobodys).unwrap(), Outcome::Known);
        assert_eq!(tonnes_of(&pool, late, "held"), 5);
        assert_books_agree(&pool);
    }

    fn two_readers_of_the_report_move_title_once(pool: Pool) {
        let (owner, block) = issued(&pool, 20);
        let buyer = holder(&pool, "B", Some("b"));
        let listed = list(&pool, owner, block, 10, "45.00");
        act(&pool, BUREAU, |tx, ctx| order_accepted(tx, ctx, listed.id, "O-1")).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| for seq in 1..=5 {
                    // A lost race is an error here; the line was settled by the winner.
                    let ctx = by(BUREAU);
                    let _ = pool.write_now(|tx| settle_trade(tx, &mut ctx.clone(), &a_trade(&listed, seq, 2, "b")));
                });
            }
        });
        // What every reader lost on is read again.
        for seq in 1..=5 {
            settle(&pool, &a_trade(&listed, seq, 2, "b")).unwrap();
        }
        assert_eq!(listing(&pool, listed.id).state, ListingState::Filled);
        assert_eq!((tonnes_of(&pool, buyer, "held"), tonnes_of(&pool, owner, "held")), (10, 10));
        assert_books_agree(&pool);
    }
}

#[test]
fn the_sandbox_keeps_its_published_rules() {
    let dir = tempfile::tempdir().unwrap();
    let exchange = Sandbox::start(dir.path(), None);
    let (_, rules) = exchange.ask("", "GET", "/rules", Value::Null);
    assert_eq!(
        (&rules["lot_t"], &rules["tick"], &rules["band_percent"]),
        (&json!(1), &json!("0.01"), &json!(10))
    );
    let place = |quantity: Value, price: &str, key: Option<&str>| {
        exchange
            .ask_with(
                "b",
                "POST",
                "/orders",
                json!({ "quantity": quantity, "price": price }),
                key,
            )
            .0
    };
    for (price, status) in [
        ("49.50", 201),
        ("49.51", 422),
        ("40.50", 201),
        ("40.49", 422),
        ("45.001", 400),
        ("0.00", 400),
    ] {
        assert_eq!(place(json!(1), price, Some(price)), status, "{price}");
    }
    for quantity in [json!(0), json!(-1), json!(0.5), json!("1"), json!(i64::MAX)] {
        assert!(
            matches!(place(quantity.clone(), "45.00", Some("q")), 400 | 422),
            "{quantity}"
        );
    }
    assert_eq!(place(json!(1), "45.00", None), 400, "a key is needed");
    assert_eq!(
        place(json!(1), "49.50", Some("49.50")),
        200,
        "the same order again"
    );
    assert_eq!(place(json!(2), "49.50", Some("49.50")), 409);
    assert_eq!(exchange.ask("x", "GET", "/trades", Value::Null).0, 401);
    assert_eq!(
        exchange
            .ask("c", "DELETE", "/orders/O-00000001", Value::Null)
            .0,
        403
    );
    assert_eq!(
        exchange
            .ask("c", "DELETE", "/orders/nonsense", Value::Null)
            .0,
        404
    );
    assert_eq!(
        exchange
            .ask(
                "b",
                "POST",
                "/orders/O-00000001/click",
                json!({ "quantity": 1 })
            )
            .0,
        422,
        "own order"
    );
    let best = json!({ "quantity": 1, "limit": "49.50" });
    let (status, bought) = exchange.ask("c", "POST", "/click", best);
    assert_eq!(
        (status, &bought["trades"][0]["price"]),
        (200, &json!("40.50"))
    );
    assert_eq!(exchange.ask("c", "POST", "/close", Value::Null).0, 403);
    let (_, closed) = exchange.ask("o", "POST", "/close", Value::Null);
    assert_eq!(closed["last_close"], "40.50");
    let (_, quotes) = exchange.ask("c", "GET", "/quotes", Value::Null);
    assert_eq!(
        (&quotes["low"], &quotes["high"]),
        (&json!("36.45"), &json!("44.55"))
    );
}
