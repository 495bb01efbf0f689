//! A row-major output that several threads fill, each its own columns.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// `rows` rows of `columns` floats, `stride` apart. Copies of one sheet may be written from several threads, as long as no element is
/// written by two of them.
#[derive(Clone, Copy)]
pub(super) struct Sheet<'a> {
    start: *mut f32,
    stride: usize,
    rows: usize,
    columns: usize,
    held: PhantomData<&'a mut [f32]>,
}

// SAFETY: a sheet is a mutable borrow of floats; whoever writes through a copy promises that nobody else does so at the same place.
unsafe impl Send for Sheet<'_> {}
// SAFETY: as above.
unsafe impl Sync for Sheet<'_> {}

impl<'a> Sheet<'a> {
    /// A sheet over `out`, whose rows begin `stride` floats apart.
    ///
    /// # Panics
    /// If `out` is too small.
    pub(super) fn new(out: &'a mut [f32], stride: usize, rows: usize, columns: usize) -> Self {
        assert!(columns <= stride && out.len() >= (rows.max(1) - 1) * stride + columns, "the output is too small");
        Self { start: out.as_mut_ptr(), stride, rows, columns, held: PhantomData }
    }

    /// A sheet over floats that hold nothing yet.
    ///
    /// # Panics
    /// If `out` is too small.
    pub(super) fn unwritten(out: &'a mut [MaybeUninit<f32>], stride: usize, rows: usize, columns: usize) -> Self {
        assert!(columns <= stride && out.len() >= (rows.max(1) - 1) * stride + columns, "the output is too small");
        Self { start: out.as_mut_ptr().cast(), stride, rows, columns, held: PhantomData }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// `width` floats of a row.
    ///
    /// # Safety
    /// No other thread may use these elements while the result lives.
    ///
    /// # Panics
    /// If they are not on the sheet.
    #[inline(always)]
    pub(super) unsafe fn part(&self, row: usize, column: usize, width: usize) -> &'a mut [f32] {
        assert!(row < self.rows && column + width <= self.columns, "beside the sheet");
        // SAFETY: on the sheet, as just asserted, and nobody else's by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.stride + column), width) }
    }

    /// A sheet over a part of this one.
    ///
    /// # Safety
    /// As for [`Sheet::part`].
    #[inline(always)]
    pub(super) unsafe fn cut(&self, row: usize, column: usize, rows: usize, columns: usize) -> Self {
        assert!(row + rows <= self.rows && column + columns <= self.columns, "beside the sheet");
        // SAFETY: on the sheet, as just asserted.
        Self {
            start: unsafe { self.start.add(row * self.stride + column) },
            stride: self.stride,
            rows,
            columns,
            held: PhantomData,
        }
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn start(&self) -> *mut f32 {
        self.start
    }
}
