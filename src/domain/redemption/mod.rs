//! Redemption (兑换): a merchant's offer, a voucher paid for with points, and its write-off (核销).
//! A voucher stands for one thing at one merchant and is never worth money to its holder.

mod book;
mod code;
mod offer;
mod qr;
mod settlement;
mod voucher;

pub use book::{HoldLost, give_back, held_entries, take_out};
pub use code::{CodeKey, VoucherCode};
pub use offer::{Merchant, Offer, OfferState, VALIDITY_DAYS_MAX};
pub use qr::{TooLong, svg};
pub use settlement::{DayTotal, MonthTotal, Owed, months};
pub use voucher::{CANCEL_WINDOW, Closing, Terms, Voucher, VoucherState, day_in};
