//! What must hold: after each effect where it is cheap, and always when everything rests.

mod clients;
mod content;
mod rows;

use crate::world::World;

/// Looks at everything that must hold when a world is at rest.
///
/// # Errors
/// What does not hold, in words.
pub async fn at_rest(world: &World<'_>) -> Result<(), String> {
    seen(world)?;
    rows::at_rest(world).await?;
    content::named_is_there(world).await?;
    content::bytes_are_named(world).await?;
    clients::heard_everything(world).await
}

/// After the janitors had all the time they need: nothing is left that no row names.
///
/// # Errors
/// What does not hold, in words.
pub async fn after_the_janitor(world: &World<'_>) -> Result<(), String> {
    seen(world)?;
    content::there_is_named(world).await
}

/// Cheap enough after each effect.
///
/// # Errors
/// What does not hold, in words.
pub async fn always(world: &World<'_>, took_away: bool) -> Result<(), String> {
    seen(world)?;
    clients::in_order(world)?;
    if took_away { content::named_is_there(world).await } else { Ok(()) }
}

/// What was noted while an effect happened.
fn seen(world: &World<'_>) -> Result<(), String> {
    let seen = world.violations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    seen.first().map_or(Ok(()), |first| Err(first.clone()))
}
