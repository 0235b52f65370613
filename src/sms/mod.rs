//! Pure text: alphabets, segments, headers, joining, folding of Vietnamese marks. Knows no socket.
