"""What is remembered, where the learner's home or disk fails and where the kernel is killed."""

import os
import signal
import subprocess
import sys

import pytest

from course_utils.exercises.records import passed

LESSON = "from course_utils.exercises import lesson_02 as it; it.first_slope.grade(18.0)"


def test_a_home_that_is_read_only_or_not_there_is_told_and_not_raised(run_as, town):
    (town / "kept").mkdir()
    (town / "kept" / "progress.jsonl").write_text("", encoding="utf-8")
    homes = [str(town / "data"), str(town / "kept"), ""]
    program = f"""
for home in {homes}:
    os.environ["COURSE_UTILS_DATA"] = home
    print(it.first_slope.check(18.0))
"""
    told = run_as(61001, program, before=LESSON)
    assert told.count("Right. ") == len(homes)
    assert told.count("\n\nThis pass could not be remembered: Permission denied") == len(homes)


@pytest.mark.skipif(os.name != "posix", reason="limits and signals as Linux and macOS have them")
def test_a_disk_that_fills_up_in_a_line_spoils_that_line_and_a_killed_kernel_none():
    program = f"""
{LESSON}
import os, resource
print(it.first_slope.check(18.0))
resource.setrlimit(resource.RLIMIT_FSIZE, (120, resource.RLIM_INFINITY))  # a line has about 80 bytes
print(it.backward_twice.check(12.0))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(it.slope.check(it.slope.answer), flush=True)
os.kill(os.getpid(), {int(signal.SIGKILL)})
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8")
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    told = [line.partition(":")[0] for line in ran.stdout.splitlines() if line.startswith(("Done", "This"))]
    assert told == ["Done in this lesson", "This pass could not be remembered", "Done in this lesson"]
    assert "No space left on device" in ran.stdout
    assert passed() == {"lesson_02.first_slope", "lesson_02.slope"}
