//! The memory of right-hand sides that are packed once: large, written by all threads, then only read.

use std::mem::MaybeUninit;

use rayon::prelude::*;

/// Matrices of at least so many elements are packed on all threads.
const WORTH_SHARING: usize = 1 << 16;

/// `count` panels of `size` elements. `write` is called with the index and the memory of each, and gives that memory back when all of it is
/// written.
///
/// # Panics
/// If it gives other memory back.
pub(super) fn panels<T: Send>(
    count: usize,
    size: usize,
    write: impl for<'a> Fn(usize, &'a mut [MaybeUninit<T>]) -> &'a mut [T] + Sync,
) -> Vec<T> {
    let len = count * size;
    let mut all = Vec::with_capacity(len);
    let room = &mut all.spare_capacity_mut()[..len];
    in_large_pages(room);
    let write = |(panel, room): (usize, &mut [MaybeUninit<T>])| {
        let given = room.as_ptr_range();
        let written = write(panel, room).as_ptr_range();
        assert!(given.start.addr() == written.start.addr() && given.end.addr() == written.end.addr(), "not the same memory");
    };
    if len < WORTH_SHARING {
        room.chunks_mut(size.max(1)).enumerate().for_each(write);
    } else {
        room.par_chunks_mut(size).enumerate().for_each(write);
    }
    // SAFETY: there is room for them, and the panels, each of which came back as written, are the whole of it.
    unsafe { all.set_len(len) };
    all
}

/// Memory with the same value everywhere.
pub(super) fn filled<T: Copy>(room: &mut [MaybeUninit<T>], value: T) -> &mut [T] {
    room.fill(MaybeUninit::new(value));
    // SAFETY: all were just written.
    unsafe { room.assume_init_mut() }
}

/// Asks the system to give what lies in whole large pages in such: small ones are given five hundred times as often, which takes a third
/// of the time in which weights are read. A wish: where there are none, nothing is lost.
fn in_large_pages<T>(room: &[MaybeUninit<T>]) {
    #[cfg(target_os = "linux")]
    {
        const LARGE: usize = 2 << 20;
        let range = room.as_ptr_range();
        let (start, end) = (range.start.addr().next_multiple_of(LARGE), range.end.addr() / LARGE * LARGE);
        if start < end {
            let place = range.start.map_addr(|_| start).cast_mut();
            // SAFETY: the memory between is ours, and begins and ends with a page of any size up to a large one; the call changes none of it.
            unsafe { libc::madvise(place.cast(), end - start, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = room;
}
