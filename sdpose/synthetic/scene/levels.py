"""The levels of difficulty."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Level:
    """Ranges from which a scene is drawn.

    Attributes:
        people: Probability of 1, 2, 3 ... people.
        height: Smallest and largest stature as a fraction of the picture's height.
        crowding: 0 spreads people over the picture, 1 puts them into one cluster.
        whole: Probability that a person is moved to lie inside the picture.
        views: Probability of a frontal view, a back view and any view.
        yaw_spread: Standard deviation in degrees around front and back.
        families: Weight of each pose family.
        tilt: Standard deviation of the roll of picture and person in degrees.
        occluders: Mean number of objects in front of people.
        strays: Mean number of distractor limbs that belong to nobody.
        blur: Probability of blur and its largest standard deviation, in pixels of a 480 pixel high picture.
        noise: Smallest and largest standard deviation of the noise in grey levels.
        jpeg: Lowest and highest JPEG quality.
        gap: Smallest and largest mean distance between neighbours, as a fraction of the picture's width, drawn
            once per picture; None spreads people over the whole width.
    """

    people: tuple[float, ...]
    height: tuple[float, float]
    crowding: float
    whole: float
    views: tuple[float, float, float]
    yaw_spread: float
    families: dict[str, float] = field(hash=False)
    tilt: float
    occluders: float
    strays: float
    blur: tuple[float, float]
    noise: tuple[float, float]
    jpeg: tuple[int, int]
    gap: tuple[float, float] | None = None


LEVELS = dict(
    starter=Level(
        people=(0.15, 0.60, 0.25),
        height=(0.66, 0.92),
        crowding=0.0,
        whole=0.95,
        views=(1, 0, 0),
        yaw_spread=28,
        families=dict(stand=0.45, walk=0.25, wave=0.30),
        tilt=2,
        occluders=0,
        strays=0,
        blur=(0.15, 0.8),
        noise=(1, 4),
        jpeg=(82, 95),
    ),
    normal=Level(
        people=(0.18, 0.32, 0.27, 0.15, 0.08),
        height=(0.38, 1.05),
        crowding=0.35,
        whole=0.55,
        views=(0.42, 0.2, 0.38),
        yaw_spread=35,
        families=dict(stand=0.28, walk=0.2, run=0.08, wave=0.14, sit=0.14, squat=0.06, free=0.1),
        tilt=5,
        occluders=0.8,
        strays=0,
        blur=(0.3, 1.4),
        noise=(1, 8),
        jpeg=(60, 95),
    ),
    hard=Level(
        people=(0.05, 0.15, 0.25, 0.25, 0.18, 0.12),
        height=(0.24, 0.75),
        crowding=0.8,
        whole=0.35,
        views=(0.3, 0.2, 0.5),
        yaw_spread=40,
        families=dict(stand=0.18, walk=0.16, run=0.12, wave=0.12, sit=0.14, squat=0.1, free=0.18),
        tilt=12,
        occluders=1.8,
        strays=2.5,
        blur=(0.6, 2.2),
        noise=(3, 14),
        jpeg=(40, 85),
    ),
    # The gaps are such that each third of the crowd index, as CrowdPose's evaluation cuts it, is common.
    crowd=Level(
        people=(0, 0.2, 0.3, 0.25, 0.15, 0.10),
        height=(0.40, 0.80),
        crowding=0.0,
        whole=0.7,
        views=(0.75, 0.15, 0.1),
        yaw_spread=30,
        families=dict(stand=0.38, walk=0.24, run=0.05, wave=0.2, sit=0.08, squat=0.05),
        tilt=5,
        occluders=0.2,
        strays=0,
        blur=(0.3, 1.4),
        noise=(1, 8),
        jpeg=(60, 95),
        gap=(0.01, 0.27),
    ),
)
