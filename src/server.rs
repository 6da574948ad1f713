//! Wiring of the HTTP server.
