//! Any bytes as a client's frame in MessagePack: read or refused, with the id of the request wherever there is one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use samtale_protocol::frames::{Unreadable, request_id};
use samtale_protocol::{ClientFrame, Encoding};

fuzz_target!(|bytes: &[u8]| {
    let id = request_id(Encoding::MessagePack, bytes);
    match ClientFrame::decode(Encoding::MessagePack, bytes) {
        Ok(frame) => {
            if let ClientFrame::Request { id: read, .. } = frame {
                assert_eq!(id, Some(read));
            }
            for encoding in Encoding::ALL {
                let bytes = encoding.encode(&frame).expect("a frame that was read can be written");
                assert_eq!(ClientFrame::decode(encoding, &bytes).ok().as_ref(), Some(&frame));
            }
        }
        Err(error) => drop(Unreadable::judge(Encoding::MessagePack, bytes, &error)),
    }
});
