//! A scriptable SMSC on the rusmpp codec: for the demo, for tests, for a newcomer's first hour.
