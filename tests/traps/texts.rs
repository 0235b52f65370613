//! Texts.

use crate::harness::trap;

trap!(t95_dc0_is_latin1);
trap!(t96_dc0_is_packed);
trap!(t97_text_with_zero_octet);
trap!(t98_binary);
trap!(t99_ucs2_little_endian);
trap!(t100_ucs2_odd_length);
trap!(t101_ucs2_surrogates);
trap!(t102_class_flash_mwi);
trap!(t103_utf8_in_dc0);
trap!(t104_shift_tables);
trap!(t105_escape_at_end);
trap!(t117_mixed_coding);
