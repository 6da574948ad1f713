//! An open write transaction.

use std::ops::{Deref, DerefMut};

use super::conn::Conn;

/// An open write transaction. Only [`Pool::write`](super::Pool::write) makes one, so a function
/// that takes `&mut Tx` cannot run outside a transaction. Reads work inside it too.
pub struct Tx<'c> {
    pub(super) conn: &'c mut Conn,
}

impl Deref for Tx<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn
    }
}
