// Test builds alone: mode `dump`, which prints what the decoder made of a plan.
#pragma once

int dump_plan(int plan_fd);
