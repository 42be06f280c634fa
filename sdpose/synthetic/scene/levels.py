"""The levels of difficulty."""
from dataclasses import dataclass, field
from typing import Optional


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
    gap: Optional[tuple[float, float]] = None


LEVELS = dict(starter=Level(people=(.15, .60, .25),
                            height=(.66, .92),
                            crowding=0.0,
                            whole=0.95,
                            views=(1, 0, 0),
                            yaw_spread=28,
                            families=dict(stand=.45, walk=.25, wave=.30),
                            tilt=2,
                            occluders=0,
                            strays=0,
                            blur=(.15, .8),
                            noise=(1, 4),
                            jpeg=(82, 95)),
              normal=Level(people=(.18, .32, .27, .15, .08),
                           height=(.38, 1.05),
                           crowding=0.35,
                           whole=0.55,
                           views=(.42, .2, .38),
                           yaw_spread=35,
                           families=dict(stand=.28, walk=.2, run=.08, wave=.14, sit=.14, squat=.06, free=.1),
                           tilt=5,
                           occluders=0.8,
                           strays=0,
                           blur=(.3, 1.4),
                           noise=(1, 8),
                           jpeg=(60, 95)),
              hard=Level(people=(.05, .15, .25, .25, .18, .12),
                         height=(.24, .75),
                         crowding=0.8,
                         whole=0.35,
                         views=(.3, .2, .5),
                         yaw_spread=40,
                         families=dict(stand=.18, walk=.16, run=.12, wave=.12, sit=.14, squat=.1, free=.18),
                         tilt=12,
                         occluders=1.8,
                         strays=2.5,
                         blur=(.6, 2.2),
                         noise=(3, 14),
                         jpeg=(40, 85)),
              # The gaps are such that each third of the crowd index, as CrowdPose's evaluation cuts it, is common.
              crowd=Level(people=(0, .2, .3, .25, .15, .10),
                          height=(.40, .80),
                          crowding=0.0,
                          whole=0.7,
                          views=(.75, .15, .1),
                          yaw_spread=30,
                          families=dict(stand=.38, walk=.24, run=.05, wave=.2, sit=.08, squat=.05),
                          tilt=5,
                          occluders=0.2,
                          strays=0,
                          blur=(.3, 1.4),
                          noise=(1, 8),
                          jpeg=(60, 95),
                          gap=(0.01, 0.27)))
