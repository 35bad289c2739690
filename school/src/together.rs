//! Many small pieces of work at once, within a bound.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};

/// Pieces under way at once, unless each is large; they share syncs.
pub(crate) const UNDER_WAY: usize = 64;

/// Does all of them, at most so many at once. The results are in the order of the work. The first failure in that order ends
/// it; what was under way then may still happen.
pub(crate) async fn together<T, E>(at_once: usize, work: Vec<BoxFuture<'_, Result<T, E>>>) -> Result<Vec<T>, E> {
    stream::iter(work).buffered(at_once).try_collect().await
}
