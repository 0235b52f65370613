//! A line to an SMSC: SMPP 3.4 as an ESME. The only room besides the simulator that names the codec `rusmpp`.

pub mod frame;
