//! Many small pieces of work at once, within a bound.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};

/// Pieces under way at once; they share syncs.
const UNDER_WAY: usize = 64;

/// Does all of them; the first failure ends it. The results are in the order of the work.
pub(crate) async fn together<T, E>(work: Vec<BoxFuture<'_, Result<T, E>>>) -> Result<Vec<T>, E> {
    stream::iter(work).buffered(UNDER_WAY).try_collect().await
}
