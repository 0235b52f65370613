//! Templates: load, check, swap, render; alphabet and segments of a reply.
