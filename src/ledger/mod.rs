//! Exchange, reply, billing and audit parts, settlements: the rows, their keys, the one writer.
