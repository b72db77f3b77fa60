"""Make spoken-digits.npz: ten English digits spoken by twenty synthetic voices, 600 clips.

    apt-get install espeak-ng; pip install scikit-learn    # scikit-learn brings scipy
    python lessons/applications/make_spoken_digits.py

The clips are synthetic speech, and real speakers vary far more. Each voice speaks each digit in three
ways. The last four voices are for testing and the two before them for validation, so that a model
is judged on voices that it has never heard.
"""

import io
import subprocess
import wave
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly
from tqdm import tqdm

RATE = 8000  # samples a second, as on the telephone
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
VOICES = [
    *("en-us", "en-gb+f2", "en-us+m3", "en-gb-scotland", "en-us+f4", "en-gb-x-rp+m1", "en-us+Andy", "en-gb+Annie"),
    *("en-gb", "en-gb-scotland+f5", "en-us+m6", "en-gb-x-gbcwmd", "en-us+f3", "en-gb-scotland+m4"),
    *("en-us+m7", "en-gb-x-rp+f1"),  # validation
    *("en-gb+m5", "en-us+f1", "en-gb-x-rp", "en-gb-scotland+m2"),  # test
]
WAYS = [(140, 50), (165, 30), (190, 65)]  # words a minute, and pitch on espeak-ng's own scale from 0 to 99
MOST = int(0.72 * RATE)  # no clip is longer


def speak(word: str, voice: str, speed: int, pitch: int) -> np.ndarray:
    """One spoken word, silence cut off, its loudest sample 1."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", word]
    # espeak-ng cannot know the length when it writes to a pipe: the header's is wrong, the data are whole
    sound = subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(sound)) as file:
        samples = np.frombuffer(sound[44:], dtype="<i2").astype(float)
        samples = resample_poly(samples, RATE, file.getframerate())
    samples /= np.abs(samples).max()
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    return samples[loud[0] : loud[-1] + 1][:MOST]


def main() -> None:
    settings = [
        (digit, voice, speed, pitch) for voice in range(len(VOICES)) for digit in range(10) for speed, pitch in WAYS
    ]
    clips = [speak(DIGITS[digit], VOICES[voice], *how) for digit, voice, *how in tqdm(settings, unit="clip")]
    sound = np.concatenate(clips)
    np.savez_compressed(
        Path(__file__).with_name("spoken-digits.npz"),
        # a logarithmic scale in 8 bits, as on the telephone (mu-law): half the size, hardly another sound
        sound=np.round(127 * np.sign(sound) * np.log1p(255 * np.abs(sound)) / np.log(256)).astype(np.int8),
        lengths=np.array([len(clip) for clip in clips], dtype=np.int16),
        digits=np.array([digit for digit, *_ in settings], dtype=np.int8),
        voices=np.array([voice for _, voice, *_ in settings], dtype=np.int8),
        names=np.array(VOICES),
    )


if __name__ == "__main__":
    main()
