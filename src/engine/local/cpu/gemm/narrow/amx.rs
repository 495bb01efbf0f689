//! A piece on Intel's matrix unit: four tiles of sums, two of either side. Its instructions are written out, as Rust has no stable names
//! for them.

use std::arch::asm;

use super::super::sheet::Sheet;
use super::{LANES, Line, Piece, TALL};

/// The shapes of the eight tile registers: 16 rows of 64 bytes each.
#[repr(C, align(64))]
struct Shapes([u8; 64]);

static SHAPES: Shapes = {
    let mut shapes = [0; 64];
    shapes[0] = 1; // the palette
    let mut tile = 0;
    while tile < 8 {
        shapes[16 + 2 * tile] = 64;
        shapes[48 + tile] = TALL as u8;
        tile += 1;
    }
    Shapes(shapes)
};

/// Whether the processor has the unit, and the system gives its registers.
pub(super) fn is_there() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const BF16: u32 = 1 << 22;
    const TILES: u32 = 1 << 24;
    let known = __cpuid(0).eax >= 7;
    known && __cpuid_count(7, 0).edx & (BF16 | TILES) == BF16 | TILES && permitted()
}

/// Asks the system for the tile registers' room in this process's threads; false where it has none to give.
fn permitted() -> bool {
    #[cfg(target_os = "linux")]
    {
        const ARCH_PRCTL: u64 = 158;
        const REQUEST: u64 = 0x1023;
        const TILE_DATA: u64 = 18;
        let mut result = ARCH_PRCTL;
        // SAFETY: `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)` reads and writes no memory of the process.
        unsafe {
            asm!("syscall", inlateout("rax") result, in("rdi") REQUEST, in("rsi") TILE_DATA, out("rcx") _, out("r11") _,
                options(nostack));
        }
        result == 0
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// The tile registers of this thread, in use until this is dropped.
pub(super) struct Tiles(());

impl Tiles {
    /// Takes them into use.
    ///
    /// # Safety
    /// The processor has them and the system has given them: [`is_there`] said so.
    pub(super) unsafe fn configure() -> Self {
        // SAFETY: the instruction is there, by the caller's promise; it reads 64 bytes of a static.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const SHAPES, options(nostack, preserves_flags)) };
        Self(())
    }

    /// Adds a piece's products to `sums`.
    #[inline]
    #[expect(clippy::unused_self, reason = "whoever holds it has configured the registers")]
    pub(super) fn add(&self, piece: Piece<'_>, sums: Sheet<'_>) {
        let lines = piece.left[0].len();
        let whole = lines > 0 && lines.is_multiple_of(TALL) && piece.right.len() == 2 * lines;
        assert!(whole && (piece.left[1].is_empty() || piece.left[1].len() == lines), "not whole tiles");
        assert!(sums.rows() >= piece.tall() && sums.columns() >= LANES, "no room for the sums");
        // SAFETY: the registers are configured, as `self` says, and the sizes are right, as just asserted.
        unsafe { if piece.left[1].is_empty() { low(piece, sums) } else { high(piece, sums) } }
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: puts the registers back to where they were before `configure`.
        unsafe { asm!("tilerelease", options(nomem, nostack, preserves_flags)) };
    }
}

/// Asks for the 16 lines at a place, which the next step will read: where another thread uses the same core, tile loads wait for the
/// second cache instead of running ahead of the products (a third more speed there; nothing lost on a core of its own).
macro_rules! near {
    ($place:literal) => {
        concat!(
            ".irp i, 0, 64, 128, 192, 256, 320, 384, 448, 512, 576, 640, 704, 768, 832, 896, 960\n",
            "prefetcht0 [",
            $place,
            " + \\i]\n",
            ".endr"
        )
    };
}

/// 32 rows by 32 columns. Each tile is loaded again as soon as its last product is under way.
///
/// # Safety
/// The tile registers are configured; the left sides have equally many whole tiles, the right side twice as many lines, and there is
/// room for the sums.
unsafe fn high(piece: Piece<'_>, sums: Sheet<'_>) {
    // SAFETY: each step reads one tile (16 lines) of either left side and 32 lines of the right, which are there by the caller's promise;
    // the sums are 32 rows of 32 floats. The tile registers are configured.
    unsafe {
        asm!(
            "test {on}, {on}",
            "jz 2f",
            "tileloadd tmm0, [{sums} + {pitch}]",
            "tileloadd tmm1, [{sums} + {pitch} + 64]",
            "tileloadd tmm2, [{lower} + {pitch}]",
            "tileloadd tmm3, [{lower} + {pitch} + 64]",
            "jmp 3f",
            "2:",
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "3:",
            "tileloadd tmm4, [{left} + {line}]",
            "tileloadd tmm6, [{right} + 2 * {line}]",
            "tileloadd tmm7, [{right} + 2 * {line} + 64]",
            "tileloadd tmm5, [{next} + {line}]",
            "jmp 5f",
            "4:",
            "add {left}, 1024",
            "add {next}, 1024",
            "add {right}, 2048",
            "tdpbf16ps tmm0, tmm4, tmm6",
            near!("{left} + 1024"),
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm4, [{left} + {line}]",
            near!("{right} + 2048"),
            "tdpbf16ps tmm3, tmm5, tmm7",
            "tileloadd tmm7, [{right} + 2 * {line} + 64]",
            near!("{next} + 1024"),
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tileloadd tmm6, [{right} + 2 * {line}]",
            "tileloadd tmm5, [{next} + {line}]",
            near!("{right} + 3072"),
            "test {ahead}, {ahead}",
            "jz 5f",
            ".irp i, 0, 64, 128, 192, 256, 320, 384, 448",
            "prefetcht1 [{ahead} + \\i]",
            ".endr",
            "add {ahead}, 512",
            "5:",
            "dec {steps}",
            "jnz 4b",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tilestored [{sums} + {pitch}], tmm0",
            "tilestored [{sums} + {pitch} + 64], tmm1",
            "tilestored [{lower} + {pitch}], tmm2",
            "tilestored [{lower} + {pitch} + 64], tmm3",
            on = in(reg) usize::from(piece.goes_on),
            sums = in(reg) sums.start(),
            lower = in(reg) sums.start().add(TALL * sums.stride()),
            pitch = in(reg) sums.stride() * size_of::<f32>(),
            left = inout(reg) piece.left[0].as_ptr() => _,
            next = inout(reg) piece.left[1].as_ptr() => _,
            right = inout(reg) piece.right.as_ptr() => _,
            ahead = inout(reg) piece.ahead => _,
            steps = inout(reg) piece.left[0].len() / TALL => _,
            line = in(reg) size_of::<Line>(),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// 16 rows by 32 columns.
///
/// # Safety
/// As for [`high`]; there is no second left side.
unsafe fn low(piece: Piece<'_>, sums: Sheet<'_>) {
    // SAFETY: as in `high`, with one left side and 16 rows of sums.
    unsafe {
        asm!(
            "test {on}, {on}",
            "jz 2f",
            "tileloadd tmm0, [{sums} + {pitch}]",
            "tileloadd tmm1, [{sums} + {pitch} + 64]",
            "jmp 3f",
            "2:",
            "tilezero tmm0",
            "tilezero tmm1",
            "3:",
            "tileloadd tmm4, [{left} + {line}]",
            "tileloadd tmm6, [{right} + 2 * {line}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            near!("{left} + 1024"),
            "tileloadd tmm7, [{right} + 2 * {line} + 64]",
            near!("{right} + 2048"),
            "tdpbf16ps tmm1, tmm4, tmm7",
            near!("{right} + 3072"),
            "add {left}, 1024",
            "add {right}, 2048",
            "dec {steps}",
            "jnz 3b",
            "tilestored [{sums} + {pitch}], tmm0",
            "tilestored [{sums} + {pitch} + 64], tmm1",
            on = in(reg) usize::from(piece.goes_on),
            sums = in(reg) sums.start(),
            pitch = in(reg) sums.stride() * size_of::<f32>(),
            left = inout(reg) piece.left[0].as_ptr() => _,
            right = inout(reg) piece.right.as_ptr() => _,
            steps = inout(reg) piece.left[0].len() / TALL => _,
            line = in(reg) size_of::<Line>(),
            out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
