//! Turns the wire contract into files for the editors' side.
