//! A training's steps as TensorBoard reads them: a file of TFRecords, each a serialised `Event`.
//!
//! A record is its length (u64, little-endian), the masked CRC-32C of these eight bytes, the data, and the masked CRC-32C of the data
//! (TensorFlow, `lib/io/record_writer`). An `Event` has `wall_time` (1, double), `step` (2, varint), `file_version` (3, string) and `summary`
//! (5), a list of values (1) with `tag` (1) and `simple_value` (2, float) (TensorFlow, `event.proto` and `summary.proto`).

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};
use crate::record::StepRow;

/// The file's name; TensorBoard looks for `tfevents` in it.
pub const FILE: &str = "events.out.tfevents.0.subliminal";

/// The events of a training, appended as they come.
pub struct EventLog {
    path: PathBuf,
    file: File,
    /// When the next step began, in seconds since 1970; steps that are written again keep their distances.
    clock: f64,
}

impl EventLog {
    /// Writes the file anew, with the steps that are known: what an interrupted attempt left may be torn.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn begin(path: &Path, known: &[StepRow]) -> Result<Self> {
        let failed = |e| Error::io("write", path, e);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let clock = now - known.iter().map(|step| step.seconds).sum::<f64>();
        let mut first = Message::default();
        first.double(1, clock);
        first.bytes(3, b"brain.Event:2");
        std::fs::write(path, record(&first.0)).map_err(failed)?;
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        let mut log = Self { path: path.to_path_buf(), file, clock };
        known.iter().try_for_each(|step| log.push(step))?;
        Ok(log)
    }

    /// Appends a step.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn push(&mut self, step: &StepRow) -> Result<()> {
        self.clock += step.seconds;
        let values = [
            ("train/loss", step.loss),
            ("train/learning_rate", step.lr),
            ("train/grad_norm", step.grad_norm),
            ("train/epoch", step.epoch),
            ("train/tokens_per_second", step.tokens as f64 / step.seconds.max(1e-9)),
        ];
        let mut summary = Message::default();
        for (tag, value) in values {
            let mut entry = Message::default();
            entry.bytes(1, tag.as_bytes());
            entry.float(2, value as f32);
            summary.bytes(1, &entry.0);
        }
        let mut event = Message::default();
        event.double(1, self.clock);
        event.varint(2, step.step as u64);
        event.bytes(5, &summary.0);
        self.file.write_all(&record(&event.0)).map_err(|e| Error::io("write", &self.path, e))
    }
}

/// A message in protocol buffers' wire format.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn key(&mut self, field: u8, wire: u8) {
        self.0.push(field << 3 | wire);
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn varint(&mut self, field: u8, value: u64) {
        self.key(field, 0);
        self.raw_varint(value);
    }

    fn double(&mut self, field: u8, value: f64) {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u8, value: &[u8]) {
        self.key(field, 2);
        self.raw_varint(value.len() as u64);
        self.0.extend(value);
    }

    fn float(&mut self, field: u8, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), data, &masked(data).to_le_bytes()].concat()
}

/// The checksum as TFRecord stores it: rotated and shifted, because the data may hold checksums themselves.
fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), bit by bit: a step's record has some 200 bytes.
fn crc32c(data: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
    !data.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: usize) -> StepRow {
        StepRow { step, epoch: 0.5, loss: 2.5, lr: 1e-3, grad_norm: 1.0, tokens: 100, seconds: 0.25 }
    }

    /// The data of every record, its checksums compared.
    fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(bytes[8..12], masked(&bytes[..8]).to_le_bytes());
            let data = &bytes[12..12 + length];
            assert_eq!(bytes[12 + length..16 + length], masked(data).to_le_bytes());
            found.push(data.to_vec());
            bytes = &bytes[16 + length..];
        }
        found
    }

    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283); // the check value of the catalogue of parametrised CRCs
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA); // RFC 3720, appendix B.4
    }

    #[test]
    fn a_resumed_training_writes_its_known_steps_again_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut log = EventLog::begin(&path, &[]).unwrap();
        (1..=3).try_for_each(|i| log.push(&step(i))).unwrap();
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"torn").unwrap();
        let mut log = EventLog::begin(&path, &[step(1), step(2)]).unwrap();
        log.push(&step(300)).unwrap();
        let records = records(&std::fs::read(&path).unwrap());
        assert_eq!(records.len(), 4);
        assert!(records[0].ends_with(b"brain.Event:2"));
        assert_eq!(records[1][9..11], [0x10, 1], "field 2, step 1");
        assert_eq!(records[3][9..12], [0x10, 0xAC, 0x02], "field 2, step 300");
        let wall = |record: &[u8]| f64::from_le_bytes(record[1..9].try_into().unwrap());
        assert!((wall(&records[3]) - wall(&records[1]) - 0.5).abs() < 1e-6);
        let loss = [&b"train/loss\x15"[..], &2.5f32.to_le_bytes()].concat();
        assert!(records[1].windows(loss.len()).any(|window| window == loss));
    }
}
