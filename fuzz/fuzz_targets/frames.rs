//! A byte stream cut into PDUs, however it arrives: the same frames come out, no octet is lost, none is invented.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use tracuu::smpp::frame::{BadLength, Frame, HEADER, MAX_FRAME, next_frame};

fuzz_target!(|octets: &[u8]| {
    let Some((&size, stream)) = octets.split_first() else { return };
    let (whole, whole_left) = cut(stream, stream.len().max(1));
    let (pieces, pieces_left) = cut(stream, usize::from(size).max(1));
    assert_eq!(whole, pieces, "the frames depend on how the stream arrives");
    assert_eq!(whole_left, pieces_left);
    let framed: Vec<u8> = whole.iter().flat_map(|frame| frame.octets.iter().copied()).collect();
    assert!(stream.starts_with(&framed));
    for frame in &whole {
        assert!((HEADER..=MAX_FRAME).contains(&frame.octets.len()));
        assert_eq!(frame.octets[..4], (frame.octets.len() as u32).to_be_bytes());
    }
    if whole_left == Ok(()) && framed.len() + 4 <= stream.len() {
        let length = u32::from_be_bytes(stream[framed.len()..framed.len() + 4].try_into().unwrap());
        assert!(length as usize > stream.len() - framed.len(), "a whole frame was left");
    }
});

/// Feeds a stream in pieces of one size.
fn cut(stream: &[u8], size: usize) -> (Vec<Frame>, Result<(), BadLength>) {
    let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
    for piece in stream.chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            match next_frame(&mut buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(bad) => return (frames, Err(bad)),
            }
        }
    }
    (frames, Ok(()))
}
