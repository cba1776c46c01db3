//! What compressors make. Each form is found by its first bytes, as names tell little, and may come in
//! several pieces that follow each other: members of gzip (RFC 1952), frames of zstd (RFC 8878), streams
//! of bzip2 and xz.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::error::{Error, Result};
use crate::system::MOST_MEMORY;

/// Bytes that may come of one file: what a guest can hold, and as much again for what an archive has
/// around its files.
const MOST: u64 = 2 * MOST_MEMORY;

/// What the dictionary of xz may take, in KiB. The largest of its usual settings takes 64 MiB.
const XZ_MEMORY: u32 = 1 << 20;

/// The contents without compression, if there was one.
pub(super) fn decompress(contents: &[u8]) -> Result<Box<dyn Read + '_>> {
    let plain: Box<dyn Read + '_> = match contents {
        [0x1f, 0x8b, ..] => Box::new(Pieces::<Gzip<'_>>::new(contents)),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Box::new(Pieces::<Bzip2<'_>>::new(contents)),
        // Of a frame, or of one to skip.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Box::new(Pieces::<Zstd<'_>>::new(contents))
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Box::new(lzma_rust2::XzReader::new_mem_limit(contents, true, XZ_MEMORY))
        }
        [0x04, 0x22, 0x4d, 0x18, ..] => return Err(unknown("lz4")),
        [0x1f, 0x9d | 0xa0, ..] => return Err(unknown("compress")),
        [b'L', b'Z', b'I', b'P', ..] => return Err(unknown("lzip")),
        [0x89, b'L', b'Z', b'O', 0, ..] => return Err(unknown("lzop")),
        [0x5d, 0, 0, _, _, ..] => return Err(unknown("lzma")),
        _ => return Ok(Box::new(contents)),
    };
    Ok(Box::new(Limited { plain, left: MOST }))
}

fn unknown(name: &str) -> Error {
    Error::new(format!("compressed by {name}"))
        .hint("what is compressed is so by gzip, bzip2, xz or zstd")
}

/// Ends with an error instead of filling the memory.
struct Limited<R> {
    plain: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!("more than {} GiB when decompressed", MOST >> 30))
        })?;
        Ok(read)
    }
}

/// One piece of compressed data.
trait Piece<'a>: Read + Sized {
    /// Opens what starts here, if something does.
    fn open(data: &'a [u8], is_first: bool) -> io::Result<Option<Self>>;

    /// What is behind the piece, which was read to its end.
    fn close(self) -> io::Result<&'a [u8]>;
}

struct Pieces<'a, P> {
    current: Option<P>,
    rest: &'a [u8],
    is_first: bool,
}

impl<'a, P> Pieces<'a, P> {
    fn new(rest: &'a [u8]) -> Self {
        Self { current: None, rest, is_first: true }
    }
}

impl<'a, P: Piece<'a>> Read for Pieces<'a, P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if let Some(piece) = &mut self.current {
                let read = piece.read(buffer)?;
                if read != 0 {
                    return Ok(read);
                }
            }
            if let Some(piece) = self.current.take() {
                self.rest = piece.close()?;
            }
            self.current = P::open(self.rest, self.is_first)?;
            self.is_first = false;
            if self.current.is_none() {
                break;
            }
        }
        Ok(0)
    }
}

/// What may be behind the last piece: nothing, or the zeros that fill a tape's last block.
fn is_end(data: &[u8]) -> bool {
    data.iter().all(|byte| *byte == 0)
}

fn garbage() -> io::Error {
    io::Error::other("something else follows the compressed data")
}

struct Gzip<'a>(GzDecoder<&'a [u8]>);

impl Read for Gzip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<'a> Piece<'a> for Gzip<'a> {
    fn open(data: &'a [u8], _: bool) -> io::Result<Option<Self>> {
        match data {
            [0x1f, 0x8b, ..] => Ok(Some(Self(GzDecoder::new(data)))),
            _ if is_end(data) => Ok(None),
            _ => Err(garbage()),
        }
    }

    fn close(self) -> io::Result<&'a [u8]> {
        Ok(self.0.into_inner())
    }
}

struct Bzip2<'a>(bzip2::bufread::BzDecoder<&'a [u8]>);

impl Read for Bzip2<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<'a> Piece<'a> for Bzip2<'a> {
    fn open(data: &'a [u8], _: bool) -> io::Result<Option<Self>> {
        match data {
            [b'B', b'Z', b'h', ..] => Ok(Some(Self(bzip2::bufread::BzDecoder::new(data)))),
            _ if is_end(data) => Ok(None),
            _ => Err(garbage()),
        }
    }

    fn close(self) -> io::Result<&'a [u8]> {
        Ok(self.0.into_inner())
    }
}

struct Zstd<'a>(StreamingDecoder<&'a [u8], FrameDecoder>);

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<'a> Piece<'a> for Zstd<'a> {
    fn open(mut data: &'a [u8], is_first: bool) -> io::Result<Option<Self>> {
        // What is to be skipped alone is no compressed data.
        while !data.is_empty() || is_first {
            let skipped = match StreamingDecoder::new(data) {
                Ok(decoder) => return Ok(Some(Self(decoder))),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => length as usize,
                Err(cause) => return Err(io::Error::other(format!("zstd: {cause}"))),
            };
            // A magic number and the length come first.
            let rest = data.get(8..).and_then(|rest| rest.get(skipped..));
            data = rest.ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        Ok(None)
    }

    fn close(self) -> io::Result<&'a [u8]> {
        let (rest, decoder) = self.0.into_parts();
        let (told, found) = (decoder.get_checksum_from_data(), decoder.get_calculated_checksum());
        match told.is_some() && told != found {
            true => Err(io::Error::other("zstd: the checksum is another")),
            false => Ok(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn plain(contents: &[u8]) -> Result<Vec<u8>, String> {
        let mut plain = Vec::new();
        let mut reader = decompress(contents).map_err(|error| error.to_string())?;
        reader.read_to_end(&mut plain).map_err(|error| error.to_string())?;
        Ok(plain)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("compression");
        encoder.finish().expect("compression")
    }

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).expect("compression");
        encoder.finish().expect("compression")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    /// A frame to skip (RFC 8878, 3.1.2).
    fn skipped(bytes: &[u8]) -> Vec<u8> {
        let length = (bytes.len() as u32).to_le_bytes();
        [&[0x5a, 0x2a, 0x4d, 0x18], length.as_slice(), bytes].concat()
    }

    #[test]
    fn all_pieces_are_read() {
        let (one, two) = (b"one".as_slice(), vec![b'2'; 300_000]);
        let both = [one, &two].concat();
        for pack in [gzip, bzip2, zstd] {
            assert_eq!(plain(&pack(&both)), Ok(both.clone()));
            let pieces = [pack(one), pack(b""), pack(&two)].concat();
            assert_eq!(plain(&pieces), Ok(both.clone()));
        }
        let frames = [skipped(b"pzstd"), zstd(one), skipped(b""), zstd(&two), skipped(b"index")];
        assert_eq!(plain(&frames.concat()), Ok(both));
    }

    #[test]
    fn zeros_may_follow_and_nothing_else() {
        for pack in [gzip, bzip2] {
            assert_eq!(plain(&[pack(b"text"), vec![0; 1000]].concat()), Ok(b"text".to_vec()));
            let error = plain(&[pack(b"text"), b"more".to_vec()].concat()).expect_err("garbage");
            assert!(error.contains("something else follows"), "{error}");
        }
        for rest in [b"more".as_slice(), &[0; 100], &skipped(b"index")[..9]] {
            plain(&[&zstd(b"text"), rest].concat()).expect_err("garbage");
        }
    }

    #[test]
    fn what_is_cut_or_damaged_is_an_error() {
        let text: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
        for pack in [gzip, bzip2, zstd] {
            let packed = pack(&text);
            for cut in [packed.len() - 1, packed.len() / 2, 12] {
                plain(&packed[..cut]).expect_err("cut");
            }
            let mut damaged = packed;
            let middle = damaged.len() / 2;
            damaged[middle] ^= 0x10;
            assert_ne!(plain(&damaged).ok(), Some(text.clone()));
            plain(&damaged).expect_err("damaged");
        }
    }

    #[test]
    fn other_forms_are_named() {
        for (first, name) in [
            (b"\x04\x22\x4d\x18....".as_slice(), "lz4"),
            (b"\x1f\x9d....", "compress"),
            (b"LZIP....", "lzip"),
        ] {
            let error = plain(first).expect_err("unknown");
            assert!(error.contains(&format!("compressed by {name}")), "{error}");
        }
    }

    #[test]
    fn a_bomb_is_an_error() {
        let mut limited = Limited { plain: io::repeat(0), left: 1 << 20 };
        let error = io::copy(&mut limited, &mut io::sink()).expect_err("too much");
        assert!(error.to_string().contains("GiB when decompressed"), "{error}");
    }
}
