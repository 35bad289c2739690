//! Any bytes as a server's frame in JSON: read or refused, and the same in both encodings when read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use samtale_protocol::{Encoding, ServerFrame};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = ServerFrame::decode(Encoding::Json, bytes) {
        for encoding in Encoding::ALL {
            let bytes = encoding.encode(&frame).expect("a frame that was read can be written");
            assert_eq!(ServerFrame::decode(encoding, &bytes).ok().as_ref(), Some(&frame));
        }
    }
});
