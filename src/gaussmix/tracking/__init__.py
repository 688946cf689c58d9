"""Track objects: from points, boxes or video to labelled tracks, with mixtures as the state of what may be there."""

__all__: list[str] = []
